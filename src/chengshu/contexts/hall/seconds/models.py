"""Decisions that no official took, and the lot that says which of them a person looks at: persistence only."""

from __future__ import annotations

from django.db import models


class AutomaticDecision(models.Model):
    """A step in which rules decided while the applicant waited, and whether the lot fell on it."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "待抽签"
        PASSED = "passed", "未抽中"
        DRAWN = "drawn", "抽中，待复核"
        RIGHT = "right", "复核无误"
        WRONG = "wrong", "复核有误"

    case_id = models.CharField(max_length=40)
    seq = models.PositiveIntegerField()
    pack = models.CharField(max_length=60)
    step = models.CharField(max_length=60)
    department = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(db_index=True)
    leaf_id = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    # What the lot was drawn from: with these anyone can draw it again.
    tree_size = models.BigIntegerField(null=True)
    tree_root = models.CharField(max_length=64, blank=True)
    leaf_digest = models.CharField(max_length=64, blank=True)
    lot = models.CharField(max_length=16, blank=True)
    per_mille = models.PositiveIntegerField(default=0)
    drawn_at = models.DateTimeField(null=True)
    review_case = models.CharField(max_length=40, blank=True, db_index=True)

    class Meta:
        app_label = "hall"
        constraints = [models.UniqueConstraint(fields=["case_id", "seq"], name="automatic_decision_once")]
        indexes = [
            models.Index(fields=["leaf_id"], name="lot_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["pack", "state"], name="lots_of_pack"),
        ]
