"""Reports of errors on pages: persistence only."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PageReport(models.Model):
    """What someone reported about a page, until an operator has dealt with it."""

    page = models.CharField(max_length=300, blank=True)
    text = models.TextField(max_length=2000)
    contact = models.CharField(max_length=120, blank=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="settled_reports",
    )
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["settled_at", "-at"])]
