"""Every address of the program: pages and calls of the API, with who the code lets in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from chengshu.interfaces.rest.api import api
from chengshu.interfaces.rest.authentication import SessionGuard, open_call

# Views of Django and of the site itself that carry no guard of ours: they show nothing of anyone.
UNGUARDED = {
    "favicon.ico",
    "healthz",
    "readyz",
    "metrics",
    "i18n/setlang/",
    "i18n/catalogue.js",
    "api/v1/docs",
    "api/v1/openapi.json",
}


@dataclass(frozen=True)
class Route:
    """One address; ``who`` is "public", or the roles let in, or None when the code does not say."""

    name: str
    who: Any
    pattern: Any = None
    # A session counts for nothing here: the caller shows a token.
    by_token: bool = False


def all_routes() -> dict[str, Route]:
    """Return every route by its name: the pattern for pages, method and path for calls."""
    found = {route.name: route for route in pages(get_resolver())}
    found.update({route.name: route for route in calls()})
    return found


def pages(resolver: URLResolver, prefix: str = "") -> Iterator[Route]:
    """Yield the pages below a resolver; the API's calls come from ``calls``."""
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from pages(pattern, path)
        elif isinstance(pattern, URLPattern) and (not path.startswith("api/v1/") or path in UNGUARDED):
            who = "public" if path in UNGUARDED else declared(pattern.callback)
            yield Route(path, who, pattern, bool(getattr(pattern.callback, "by_token", "")))


def declared(view: Any) -> Any:
    """Say whom a view lets in."""
    if not hasattr(view, "allowed_roles"):
        return None
    return "public" if view.allowed_roles is None else sorted(view.allowed_roles)


def calls() -> Iterator[Route]:
    """Yield the calls of the API."""
    # The bound routers: there the guards of a router have come down to its calls.
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    yield Route(
                        f"{method} api/v1{router.prefix}{path}", who_may_call(operation.auth_callbacks)
                    )


def who_may_call(callbacks: Any) -> Any:
    """Say whom a call lets in."""
    if open_call in callbacks:
        return "public"
    guards = [each for each in callbacks if isinstance(each, SessionGuard)]
    return sorted(guards[0].roles) if guards else None
