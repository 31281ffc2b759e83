"""Citizen codes: the devices that read them, the keys these share, what they have read, what was read twice. Persistence only."""

from __future__ import annotations

from django.db import models


class CodeDevice(models.Model):
    """A window's device that may read citizen codes: its public keys, where it stands, until when."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    department = models.CharField(max_length=40)
    place = models.CharField(max_length=120)
    # Raw public keys in base64url: X25519 to send it secrets, Ed25519 to know what it sends.
    exchange = models.CharField(max_length=64)
    signing = models.CharField(max_length=64)
    enrolled_by = models.CharField(max_length=80)
    enrolled_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code"]


class CodeEpoch(models.Model):
    """A key that the devices share for a while; a revoked device gets no later one."""

    public = models.CharField(max_length=64, unique=True)
    sealed = models.TextField()
    begins_at = models.DateTimeField(db_index=True)
    made_at = models.DateTimeField()
    why = models.CharField(max_length=20)


class CodeUse(models.Model):
    """A code that a device has read: told at its next sync, or at once by a window that is on the network."""

    number = models.CharField(max_length=24, db_index=True)
    subject_id = models.CharField(max_length=40, db_index=True)
    device = models.ForeignKey(CodeDevice, on_delete=models.PROTECT, null=True, related_name="uses")
    # The clerk, where no device of its own has read it.
    clerk = models.CharField(max_length=80, blank=True)
    department = models.CharField(max_length=40)
    at = models.DateTimeField()
    told_at = models.DateTimeField()
    leaf_id = models.BigIntegerField()
    # 0 for the first reading that came to be known, then 1, 2…: of two that come at once only one can be the first.
    reading = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number", "device"], name="one_use_a_device"),
            models.UniqueConstraint(fields=["number", "reading"], name="one_first_reading"),
        ]
        indexes = [models.Index(fields=["subject_id", "-at"], name="code_uses_of_subject")]


class CodeReplay(models.Model):
    """One code read at two places: somebody has shown a copy."""

    number = models.CharField(max_length=24)
    subject_id = models.CharField(max_length=40, db_index=True)
    first = models.ForeignKey(CodeUse, on_delete=models.PROTECT, related_name="+")
    second = models.OneToOneField(CodeUse, on_delete=models.PROTECT, related_name="+")
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=80, blank=True)
