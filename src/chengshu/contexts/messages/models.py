"""Public notices, messages to people and each attempt to deliver them: persistence only."""

from __future__ import annotations

from django.db import models


class PublicNotice(models.Model):
    """A notice to everyone; ``fields``, a list of {name, label, value}, is what it shows, no more. It ends by itself."""

    case_id = models.CharField(max_length=20, db_index=True)
    kind = models.CharField(max_length=60)
    kind_zh = models.CharField(max_length=120)
    kind_en = models.CharField(max_length=200)
    title = models.CharField(max_length=300)
    body_zh = models.TextField(blank=True)
    body_en = models.TextField(blank=True)
    fields = models.TextField()
    search = models.TextField()
    department = models.CharField(max_length=40, blank=True)
    drill = models.BooleanField(default=False)
    key = models.CharField(max_length=120, unique=True)
    published_at = models.DateTimeField()
    # The last day on which it is open; without one it is open until it is ended.
    until = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["-published_at"], name="notices_by_time")]


class Message(models.Model):
    """A message to someone about a case, on their page. ``owner`` is ``account:7``, ``department:market``, ``role:operator``."""

    owner = models.CharField(max_length=60)
    case_id = models.CharField(max_length=20)
    key = models.CharField(max_length=160, unique=True)
    subject_zh = models.CharField(max_length=200)
    subject_en = models.CharField(max_length=200)
    body_zh = models.TextField()
    body_en = models.TextField()
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["owner", "-at"], name="messages_of_owner")]


class Delivery(models.Model):
    """One way of one message to one person. ``uncertain``: it may have arrived; it is never sent again by itself."""

    class State(models.TextChoices):
        """Where a delivery stands."""

        PENDING = "pending", "待发送"
        SENDING = "sending", "发送中"
        SENT = "sent", "已送达"
        UNCERTAIN = "uncertain", "不能确定"
        FAILED = "failed", "未送达"
        SKIPPED = "skipped", "未发送"

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=10)
    key = models.CharField(max_length=180, unique=True)
    # Whose: the address itself stays with the account, so that it is erased in one place.
    account_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    settled_by = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "-made_at"], name="deliveries_by_state")]
