"""Data elements, sources and their versions: persistence only."""

from __future__ import annotations

from django.db import models


class Element(models.Model):
    """A data element in its present version; ``retired_at`` when it is no longer declared."""

    code = models.CharField(max_length=60, primary_key=True)
    title_zh = models.CharField(max_length=100)
    title_en = models.CharField(max_length=100)
    type = models.CharField(max_length=20)
    klass = models.CharField(max_length=20, db_index=True)
    grade = models.PositiveSmallIntegerField()
    privacy = models.CharField(max_length=20)
    authority = models.CharField(max_length=40)
    body = models.JSONField()
    version = models.PositiveIntegerField()
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)


class Dataset(models.Model):
    """A declared source in its present version, with its place in the four lists."""

    name = models.CharField(max_length=80, primary_key=True)
    department = models.CharField(max_length=40, db_index=True)
    title_zh = models.CharField(max_length=100)
    title_en = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    body = models.JSONField()
    version = models.PositiveIntegerField()
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)


class Version(models.Model):
    """One version of an element or a source: what it was, what changed, when; ``leaf_id`` is its ledger
    entry.
    """

    about = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    body = models.JSONField(null=True)
    diff = models.JSONField()
    at = models.DateTimeField()
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["about", "number"], name="catalogue_version_once")]


class Revision(models.Model):
    """One row that counts loads which changed something: caches compare it."""

    number = models.PositiveIntegerField(default=0)
