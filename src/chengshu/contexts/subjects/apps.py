"""Django app of the context `subjects`."""

from django.apps import AppConfig


class SubjectsConfig(AppConfig):
    name = "chengshu.contexts.subjects"
    label = "subjects"
    verbose_name = "Golden records, runs, corrections, returns and links"
