"""Django app of the context `identity`."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "chengshu.contexts.identity"
    label = "identity"
    verbose_name = "Accounts, roles, departments and the gatekeeper of personal data"

    def ready(self) -> None:
        """Hear of every sign-in and sign-out, through whichever door."""
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from chengshu.contexts.identity.sessions import on_sign_in, on_sign_out

        user_logged_in.connect(on_sign_in, dispatch_uid="identity.sign_in")
        user_logged_out.connect(on_sign_out, dispatch_uid="identity.sign_out")
