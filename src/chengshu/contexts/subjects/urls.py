"""Pages of the context `subjects`."""

from django.urls import URLPattern

app_name = "subjects"
urlpatterns: list[URLPattern] = []
