"""Exports: who asked for which list, why, and the file until it expires. Persistence only."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """One export. The file lies by its digest; after its time only this record is left."""

    class State(models.TextChoices):
        """Where an export stands."""

        WAITING = "waiting", _("准备中")
        READY = "ready", _("可以下载")
        FAILED = "failed", _("失败")
        EXPIRED = "expired", _("已过期")

    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=20)
    filters = models.JSONField(default=dict)
    account_id = models.BigIntegerField(db_index=True)
    actor_name = models.CharField(max_length=80)
    department = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=40)
    reason = models.CharField(max_length=300)
    # What kind of file it is: csv or xlsx.
    format = models.CharField(max_length=4, default="csv", db_default="csv")
    # Values in clear, where the role may have them at all; masked otherwise.
    full = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    rows = models.PositiveIntegerField(default=0)
    persons = models.PositiveIntegerField(default=0)
    # What a copy that leaks is recognised by: the order of the rows follows from it.
    fingerprint = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Who works on it has it until then; a worker that dies leaves a lease that runs out.
    leased_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    downloads = models.PositiveIntegerField(default=0)
    last_download_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField()
    leaf_salt = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["state", "expires_at"], name="exports_to_expire")]
