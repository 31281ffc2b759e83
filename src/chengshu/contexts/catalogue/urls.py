"""Pages of the context `catalogue`."""

from django.urls import path

from chengshu.contexts.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("", views.home, name="home"),
    path("elements/<str:code>", views.element, name="element"),
    path("sources", views.sources, name="sources"),
    path("sources/<str:name>", views.source, name="source"),
    path("lists/<slug:name>", views.one_list, name="list"),
    path("lists/<slug:name>.csv", views.list_csv, name="list_csv"),
]
