"""Offers of services and the searches that found them: persistence only."""

from __future__ import annotations

from django.db import models


class OfferRun(models.Model):
    """One search for who is entitled: by which rule of which pack, on what ground, over how many records."""

    pack = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    run_id = models.CharField(max_length=40)
    at = models.DateTimeField()
    # The articles that oblige the department to look for them, and the elements that were looked at.
    grounds = models.JSONField(default=list)
    elements = models.JSONField(default=list)
    looked_at = models.PositiveIntegerField(default=0)
    entitled = models.PositiveIntegerField(default=0)
    fresh = models.PositiveIntegerField(default=0)
    leaf_id = models.BigIntegerField(null=True)

    class Meta:
        app_label = "hall"
        constraints = [models.UniqueConstraint(fields=["pack", "run_id", "at"], name="offer_run_once")]


class Offer(models.Model):
    """A service that one person is entitled to. A declined offer stays declined."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "待处理"
        ACCEPTED = "accepted", "已申请"
        DECLINED = "declined", "不需要"
        LAPSED = "lapsed", "已失效"

    subject_id = models.CharField(max_length=24, db_index=True)
    pack = models.CharField(max_length=60)
    # What it is about beside the person: the number of a certificate; a second child is a second offer.
    about = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    made_at = models.DateTimeField()
    run = models.ForeignKey(OfferRun, on_delete=models.PROTECT, related_name="offers")
    told_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    draft_id = models.BigIntegerField(null=True)
    case_id = models.CharField(max_length=40, blank=True)

    class Meta:
        app_label = "hall"
        constraints = [models.UniqueConstraint(fields=["subject_id", "pack", "about"], name="offer_once")]
        indexes = [models.Index(fields=["pack", "state"], name="offers_of_pack")]
