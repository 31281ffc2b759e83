"""What the hotline keeps beside its cases: persistence only."""

from __future__ import annotations

from django.db import models


class HotlineRequest(models.Model):
    """A request as everyone may see it, and how its person comes back to it. Nothing here names anybody."""

    case_id = models.CharField(primary_key=True, max_length=20)
    kind = models.CharField(max_length=20)
    topic = models.CharField(max_length=20)
    channel = models.CharField(max_length=10)
    urgent = models.BooleanField(default=False)
    department = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=50)
    closed = models.BooleanField(default=False)
    area = models.CharField(max_length=100, blank=True)
    cell_code = models.CharField(max_length=20, blank=True)
    # WGS-84, as it was sent; pages and interfaces give it to about a hundred metres.
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    media_url = models.CharField(max_length=2000, blank=True)
    merged_into = models.CharField(max_length=20, blank=True, db_index=True)
    public_reply = models.CharField(max_length=500, blank=True)
    # Keyed digest of the code that whoever has no account follows it by.
    code_digest = models.CharField(max_length=64, blank=True)
    key_id = models.BigIntegerField(null=True)
    due_on = models.DateField(null=True)
    requested_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["-requested_at"], name="requests_by_time"),
            models.Index(fields=["topic", "cell_code", "closed"], name="requests_alike"),
        ]


class HotlineContact(models.Model):
    """Name and number of who asked for confidence: for the hotline centre's return visit alone."""

    case_id = models.CharField(primary_key=True, max_length=20)
    name = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    erased_at = models.DateTimeField(null=True)


class ContactLook(models.Model):
    """One look at a confidential contact: who, when, why."""

    contact = models.ForeignKey(HotlineContact, on_delete=models.PROTECT, related_name="looks")
    account_id = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    leaf_id = models.BigIntegerField()
    leaf_salt = models.CharField(max_length=64)


class Open311Key(models.Model):
    """A program that may send requests by Open311; only the digest of its key is kept."""

    name = models.CharField(max_length=80)
    contact = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class Open311Intake(models.Model):
    """A request that was taken in under a token and becomes a case within a minute."""

    token = models.CharField(max_length=40, unique=True)
    key = models.ForeignKey(Open311Key, on_delete=models.PROTECT)
    # Emptied once the case holds it.
    body = models.TextField()
    case_id = models.CharField(max_length=20, blank=True)
    taken_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["taken_at"], condition=models.Q(case_id=""), name="intake_waiting")]
