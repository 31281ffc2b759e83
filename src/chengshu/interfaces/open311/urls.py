"""Addresses of Open311 GeoReport v2."""

from django.urls import path

from chengshu.interfaces.open311 import views

app_name = "open311"
urlpatterns = [
    path("discovery.<str:format_>", views.discovery, name="discovery"),
    path("v2/services.<str:format_>", views.services, name="services"),
    path("v2/services/<str:code>.<str:format_>", views.service, name="service"),
    path("v2/requests.<str:format_>", views.requests, name="requests"),
    path("v2/requests/<str:number>.<str:format_>", views.one_request, name="request"),
    path("v2/tokens/<str:token>.<str:format_>", views.token, name="token"),
]
