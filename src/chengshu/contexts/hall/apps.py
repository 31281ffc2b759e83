"""Django app of the context `hall`."""

from django.apps import AppConfig


class HallConfig(AppConfig):
    name = "chengshu.contexts.hall"
    label = "hall"
    verbose_name = "The service hall: what a resident sees of their own data"
