"""Django app of the context `identity`."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "chengshu.contexts.identity"
    label = "identity"
    verbose_name = "Accounts, roles, departments and the gatekeeper of personal data"
