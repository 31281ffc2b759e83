"""Copies of one's own data that people asked for: persistence only."""

from __future__ import annotations

from django.db import models


class DataExport(models.Model):
    """A copy of all that is held about a person or firm, made by a job and kept for a week."""

    class State(models.TextChoices):
        """Where the copy stands."""

        ASKED = "asked", "待生成"
        MADE = "made", "已生成"
        FAILED = "failed", "未能生成"
        GONE = "gone", "已删除"

    subject_id = models.CharField(max_length=24, db_index=True)
    account = models.BigIntegerField()
    account_name = models.CharField(max_length=80)
    # "self" or "mandate": on what ground the account asked.
    how = models.CharField(max_length=10)
    state = models.CharField(max_length=6, choices=State.choices, default=State.ASKED, db_index=True)
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    file = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    leaf_id = models.BigIntegerField(null=True)

    class Meta:
        app_label = "hall"


class CaseOrigins(models.Model):
    """Where the answers of an application came from that nobody had to type: field → table or certificate, and day.

    The fact of a part that its one-thing handed it says which fact of which case that was: {of, in}.
    """

    case_id = models.CharField(primary_key=True, max_length=40)
    # {field: {source, title: {zh, en}, at, element}}; no values.
    fields = models.JSONField(default=dict)
    # How many fields the form asked in all, those spared included.
    asked_of = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        app_label = "hall"
