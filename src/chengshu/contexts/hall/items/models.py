"""Service items, their versions, drafts and the facets one filters by: persistence only."""

from __future__ import annotations

from typing import Any

from django.db import models


class Item(models.Model):
    """A service item in its present version. ``body`` holds every element; the columns are what one filters and
    sorts by. ``code`` is the national item code (31 or more characters) or a district's own.
    """

    class State(models.TextChoices):
        """Whether the public sees it."""

        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"

    code = models.CharField(max_length=60, primary_key=True)
    name = models.CharField(max_length=400)
    name_en = models.CharField(max_length=400, blank=True)
    kind = models.CharField(max_length=4, db_index=True)
    # Our department that answers for the guide; empty where the item belongs to somebody who has no account here.
    department = models.CharField(max_length=40, blank=True, db_index=True)
    department_name = models.CharField(max_length=200, db_index=True)
    area_code = models.CharField(max_length=12)
    catalogue_code = models.CharField(max_length=40, blank=True)
    statutory_days = models.PositiveSmallIntegerField(null=True)
    promised_days = models.PositiveSmallIntegerField(null=True)
    visits = models.PositiveSmallIntegerField(null=True)
    online = models.BooleanField(default=False)
    pack = models.CharField(max_length=60, blank=True, db_index=True)
    body = models.JSONField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PUBLISHED)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    # Where it came from: the name of the file that was loaded, or "guide" when an officer wrote it here.
    source = models.CharField(max_length=120)

    class Meta:
        indexes = [models.Index(fields=["state", "department_name", "name"])]

    def __str__(self) -> str:
        return self.name

    @property
    def elements(self) -> dict[str, Any]:
        """Every element of the item."""
        return dict(self.body)


class ItemFacet(models.Model):
    """A theme or an audience of an item, so that both databases filter by an index."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="facets")
    sort = models.CharField(max_length=10)
    value = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["sort", "value", "item"])]
        constraints = [
            models.UniqueConstraint(fields=["item", "sort", "value"], name="hall_facet_once"),
        ]


class ItemVersion(models.Model):
    """One version of an item: what it was, what changed, by whom; ``leaf_id`` is its ledger entry."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12)
    body = models.JSONField()
    diff = models.JSONField()
    at = models.DateTimeField()
    made_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=120)
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="hall_item_version_once")]


class ItemDraft(models.Model):
    """What an officer has changed in a guide and not published yet; one a guide."""

    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="draft")
    body = models.JSONField()
    # The version whose elements the officer had before their eyes: another one since then is not overwritten.
    based_on = models.PositiveIntegerField()
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=80)


class ItemRevision(models.Model):
    """One row that counts changes of items: indexes and caches compare it."""

    number = models.PositiveIntegerField(default=0)
