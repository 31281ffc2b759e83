"""Django app of the context `places`."""

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "chengshu.contexts.places"
    label = "places"
    verbose_name = "Divisions, communities, zones, cells and the address library"
