"""Leaves, the log's state, its checkpoints and keys: persistence only."""

from __future__ import annotations

from django.db import models


class LeafRow(models.Model):
    """One act. ``position`` stays null until the sequencer numbers it: a late commit is never passed over."""

    id = models.BigAutoField(primary_key=True)
    position = models.BigIntegerField(null=True, unique=True)
    kind = models.CharField(max_length=60)
    reference = models.CharField(max_length=200, db_index=True)
    digest = models.CharField(max_length=64)
    at = models.BigIntegerField()

    class Meta:
        db_table = "ledger_leaf"


class KindRow(models.Model):
    """A kind of entry that occurs in the log."""

    kind = models.CharField(max_length=60, primary_key=True)

    class Meta:
        db_table = "ledger_kind"


class Log(models.Model):
    """The one log of this installation: its tree head, and who may number leaves at the moment."""

    origin = models.CharField(max_length=100)
    suite = models.CharField(max_length=10)
    size = models.BigIntegerField(default=0)
    root = models.CharField(max_length=64)
    frontier = models.JSONField(default=list)
    holder = models.CharField(max_length=80, blank=True)
    held_until = models.DateTimeField(null=True)


class CheckpointRow(models.Model):
    """A tree head; ``note`` is empty until it is signed, ``cosigned_by`` names the witnesses, one a line."""

    size = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=64)
    at = models.DateTimeField()
    note = models.TextField(blank=True)
    cosigned_by = models.TextField(blank=True)

    class Meta:
        db_table = "ledger_checkpoint"


class KeyRow(models.Model):
    """A verifier key of the log; it signs checkpoints larger than ``since``."""

    since = models.BigIntegerField()
    verifier = models.CharField(max_length=200, unique=True)
    announced_in = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "ledger_key"
