"""Pages of the context `hall`."""

from django.urls import URLPattern

app_name = "hall"
urlpatterns: list[URLPattern] = []
