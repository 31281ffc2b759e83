"""Addresses of the provider and of signing in from outside."""

from django.urls import path

from chengshu.interfaces.oidc import logging_out, outside, pages, views

app_name = "oidc"
urlpatterns = [
    path(".well-known/openid-configuration", views.discovery, name="discovery"),
    path(".well-known/oauth-authorization-server", views.discovery, name="metadata"),
    path("oidc/jwks.json", views.jwks, name="jwks"),
    path("oidc/authorize", views.authorize, name="authorize"),
    path("oidc/token", views.token, name="token"),
    path("oidc/userinfo", views.userinfo, name="userinfo"),
    path("oidc/revoke", views.revoke, name="revoke"),
    path("oidc/logout", logging_out.end_session, name="logout"),
    path("oidc/logout/confirm", logging_out.confirm, name="confirm_logout"),
    path("systems/", pages.systems, name="systems"),
    path("systems/new", pages.new_system, name="new_system"),
    path("systems/<slug:client_id>", pages.system, name="system"),
    path("systems/<slug:client_id>/secret", pages.renew_secret, name="renew_secret"),
    path("systems/<slug:client_id>/end", pages.end_system, name="end_system"),
    path("sign-in/outside/<slug:code>", outside.start, name="outside_start"),
    path("sign-in/outside/<slug:code>/back", outside.back, name="outside_back"),
    path("account/identities", outside.identities, name="identities"),
    path("account/identities/link", outside.link, name="link"),
    path("account/identities/<int:identity_id>/unlink", outside.unlink, name="unlink"),
    path("account/apps", pages.apps, name="apps"),
    path("account/apps/<int:consent_id>/revoke", pages.revoke_consent, name="revoke_consent"),
]
