"""Pages of the context `places`."""

from django.urls import path

from chengshu.contexts.places import views

app_name = "places"
urlpatterns = [
    path("map", views.district_map, name="map"),
    path("zones/<str:code>", views.zone, name="zone"),
    path("cells/<str:cell_code>", views.cell, name="cell"),
    path("cells/<str:cell_code>/split", views.split, name="split"),
    path("cells/<str:cell_code>/charge", views.charge, name="charge"),
    path("buildings/<str:place_code>", views.building, name="building"),
    path("grid", views.grid, name="grid"),
    path("grid/merge", views.merge, name="merge"),
    path("proposals", views.proposals, name="proposals"),
    path("proposals/<int:number>", views.proposal, name="proposal"),
]
