"""Pages of the context `cases`."""

from django.urls import URLPattern

app_name = "cases"
urlpatterns: list[URLPattern] = []
