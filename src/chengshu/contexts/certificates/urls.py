"""Pages of the context `certificates`."""

from django.urls import path

from chengshu.contexts.certificates import machine_views, views, wallet_views
from chengshu.contexts.certificates.signatures import views as signature_views

app_name = "certificates"
urlpatterns = [
    path("verify/", views.verify, name="verify"),
    path("verify/regions/", views.regions, name="regions"),
    path("verify/signers/", signature_views.public_list, name="signers"),
    path("signers/", signature_views.manage, name="manage_signers"),
    path("signers/add", signature_views.add, name="add_signer"),
    path("signers/<slug:code>", signature_views.authority, name="signer"),
    path("verify/trust-list.json", machine_views.trust_list, name="trust_list"),
    path("status/<int:list_id>/<slug:purpose>", machine_views.status_list, name="status_list"),
    path("issuers/<slug:code>", machine_views.issuer, name="issuer"),
    path("verify/trust-list.jwt", machine_views.signed_trust_list, name="signed_trust_list"),
    path(
        ".well-known/jwt-vc-issuer/issuers/<slug:code>", machine_views.issuer_metadata, name="issuer_metadata"
    ),
    path("credential-types/<slug:code>", machine_views.credential_type, name="credential_type"),
    path("my/certificates/", views.mine, name="mine"),
    path("my/certificates/shown/", wallet_views.presentations, name="presentations"),
    path("my/certificates/shown/<int:presentation_id>", wallet_views.presentation, name="presentation"),
    path(
        "my/certificates/shown/<int:presentation_id>/file",
        wallet_views.presentation_file,
        name="presentation_file",
    ),
    path("my/certificates/shown/<int:presentation_id>/withdraw", wallet_views.withdraw, name="withdraw"),
    path("my/certificates/<str:number>/show", wallet_views.show, name="show"),
    path("my/certificates/<str:number>/wallet", wallet_views.wallet, name="wallet"),
    path(
        "my/certificates/<str:number>/wallet/<int:credential_id>/withdraw",
        wallet_views.withdraw_from_wallet,
        name="withdraw_from_wallet",
    ),
    path("shown/<str:token>", wallet_views.shown, name="shown"),
    path("shown/<str:token>/file", wallet_views.shown_file, name="shown_file"),
    path("certificates/", views.former_mine, name="former_mine"),
    path("certificates/issued/", views.issued, name="list"),
    path("certificates/documents/<int:document_id>.pdf", views.document, name="document"),
    path("certificates/<str:number>", views.certificate, name="certificate"),
    path("certificates/<str:number>/pdf", views.pdf, name="pdf"),
    path("certificates/<str:number>/credential", views.credential, name="credential"),
    path(
        "certificates/<str:number>/credential-sm2",
        views.credential,
        {"form": "credential-sm2"},
        name="credential_sm2",
    ),
    path("certificates/<str:number>/sd-jwt", views.credential, {"form": "sd-jwt"}, name="sd_jwt"),
    path("certificates/<str:number>/receipt", views.receipt, name="receipt"),
]
