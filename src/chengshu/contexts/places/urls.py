"""Pages of the context `places`."""

from django.urls import path

from chengshu.contexts.places import views, views_address

app_name = "places"
urlpatterns = [
    path("", views_address.home, name="home"),
    path("changes", views_address.changes, name="address_changes"),
    path("addresses/<str:place_code>/<str:kind>", views_address.change, name="address_change"),
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
