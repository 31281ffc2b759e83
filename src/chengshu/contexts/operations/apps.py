"""Django app of the context `operations`."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "chengshu.contexts.operations"
    label = "operations"
    verbose_name = "The operations centre: home pages, map, staff"
