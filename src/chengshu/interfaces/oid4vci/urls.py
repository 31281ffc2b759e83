"""Addresses of the credential issuer."""

from django.urls import path

from chengshu.interfaces.oid4vci import views

app_name = "oid4vci"
urlpatterns = [
    path(".well-known/openid-credential-issuer/oid4vci", views.issuer_metadata, name="issuer_metadata"),
    path(".well-known/oauth-authorization-server/oid4vci", views.server_metadata, name="server_metadata"),
    path("oid4vci/offers/<str:reference>", views.offer, name="offer"),
    path("oid4vci/token", views.token, name="token"),
    path("oid4vci/nonce", views.nonce, name="nonce"),
    path("oid4vci/credential", views.credential, name="credential"),
    path("oid4vci/notification", views.notification, name="notification"),
]
