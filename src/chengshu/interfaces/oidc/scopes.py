"""What a system may ask for: what the operator allowed it, never more."""

from __future__ import annotations

from typing import Any

from oauth2_provider.scopes import SettingsScopes


class SystemScopes(SettingsScopes):
    """Scopes by system."""

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Return the scopes of one system, or all there are."""
        every = super().get_available_scopes(application, request, *args, **kwargs)
        if application is None:
            return list(every)
        return [scope for scope in every if scope in application.scopes]
