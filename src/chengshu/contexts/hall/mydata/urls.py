"""Addresses of one's own data, under /my/."""

from __future__ import annotations

from django.urls import path

from chengshu.contexts.hall.mydata import export_views, views
from chengshu.contexts.hall.offers import views as offers
from chengshu.contexts.hall.seconds import views as seconds

urlpatterns = [
    path("", views.data, name="home"),
    path("data/", views.data, name="data"),
    path("reads", views.reads, name="reads"),
    path("reads/<int:read_id>/proof", views.read_proof, name="read_proof"),
    path("dispute/<str:element>", views.dispute, name="dispute"),
    path("dispute/place/<str:subject_id>/<str:element>", views.dispute_place, name="dispute_place"),
    path(
        "dispute/certificate/<str:number>/<str:name>", views.dispute_certificate, name="dispute_certificate"
    ),
    path("data/consents", views.consents, name="consents"),
    path("data/consents/<int:consent_id>/revoke", views.revoke, name="revoke_consent"),
    path("data/disputes", views.disputes, name="disputes"),
    path("data/copies", export_views.copies, name="export"),
    path("data/copies/<int:copy_id>.json", export_views.fetch, name="export_file"),
    path("data/copies/<int:copy_id>/print", export_views.printed, name="export_print"),
    path("decisions/<str:case_id>/ask-a-person", seconds.ask_person, name="ask_person"),
    path("decisions/lots", seconds.drawn, name="lots"),
    path("offers", offers.mine, name="offers"),
    path("offers/<int:offer_id>/accept", offers.accept, name="accept_offer"),
    path("offers/<int:offer_id>/decline", offers.decline, name="decline_offer"),
]
