"""Django app of the context `cases`."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "chengshu.contexts.cases"
    label = "cases"
    verbose_name = "Cases, tasks, terms, evidence and the outbox"
