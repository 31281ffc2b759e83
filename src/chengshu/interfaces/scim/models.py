"""What the personnel system calls our staff and departments; everything else about them lies in identity."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class StaffRecord(models.Model):
    """The personnel system's side of one account. ``removed_at``: deleted there, hidden here; the account stays."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=120, blank=True, db_index=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)


class DepartmentRecord(models.Model):
    """The personnel system's side of one department."""

    department = models.OneToOneField("identity.Department", on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=120, blank=True, db_index=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
