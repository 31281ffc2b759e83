"""Django app of the context `catalogue`."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "chengshu.contexts.catalogue"
    label = "catalogue"
    verbose_name = "Data elements, sources and the four lists"
