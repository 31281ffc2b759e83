"""Django app of OpenID Connect."""

from django.apps import AppConfig


class OidcConfig(AppConfig):
    name = "chengshu.interfaces.oidc"
    label = "oidc"
    verbose_name = "Signing in to other systems, and from outside providers"
