"""Pages of the context `certificates`."""

from django.urls import path

from chengshu.contexts.certificates import machine_views, views

app_name = "certificates"
urlpatterns = [
    path("verify/", views.verify, name="verify"),
    path("verify/trust-list.json", machine_views.trust_list, name="trust_list"),
    path("status/<int:list_id>/<slug:purpose>", machine_views.status_list, name="status_list"),
    path("issuers/<slug:code>", machine_views.issuer, name="issuer"),
    path("verify/trust-list.jwt", machine_views.signed_trust_list, name="signed_trust_list"),
    path(
        ".well-known/jwt-vc-issuer/issuers/<slug:code>", machine_views.issuer_metadata, name="issuer_metadata"
    ),
    path("credential-types/<slug:code>", machine_views.credential_type, name="credential_type"),
    path("certificates/", views.mine, name="mine"),
    path("certificates/issued/", views.issued, name="list"),
    path("certificates/documents/<int:document_id>.pdf", views.document, name="document"),
    path("certificates/<str:number>", views.certificate, name="certificate"),
    path("certificates/<str:number>/pdf", views.pdf, name="pdf"),
    path("certificates/<str:number>/credential", views.credential, name="credential"),
    path("certificates/<str:number>/receipt", views.receipt, name="receipt"),
]
