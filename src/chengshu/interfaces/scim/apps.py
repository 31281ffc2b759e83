"""Django app of SCIM."""

from django.apps import AppConfig


class ScimConfig(AppConfig):
    name = "chengshu.interfaces.scim"
    label = "scim"
    verbose_name = "Staff accounts kept by a personnel system"
