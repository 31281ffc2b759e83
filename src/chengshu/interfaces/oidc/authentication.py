"""How the person at this browser signed in: by which means (RFC 8176) and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

# What the session holds; written where a sign-in completes (identity, and `outside` here).
AMR, SIGNED_IN_AT = "amr", "signed_in_at"
PASSWORD, FEDERATED = "pwd", "fed"
ONE_FACTOR, TWO_FACTORS = "urn:chengshu:acr:one-factor", "urn:chengshu:acr:two-factors"
ACRS = (ONE_FACTOR, TWO_FACTORS)


@dataclass(frozen=True, slots=True)
class Authentication:
    """Means and time of the sign-in that this session rests on."""

    amr: tuple[str, ...]
    at: datetime

    @property
    def acr(self) -> str:
        """The class of the sign-in: one factor or two."""
        return acr_of(self.amr)


def acr_of(amr: Any) -> str:
    """Return the class that means of sign-in make up."""
    return TWO_FACTORS if "mfa" in amr else ONE_FACTOR


def authentication_of(request: HttpRequest) -> Authentication:
    """Return how this session was signed in; without a note of it, by password when the account last signed in."""
    amr = [str(each) for each in request.session.get(AMR) or [PASSWORD]]
    if "mfa" not in amr and len({each for each in amr if each != FEDERATED}) > 1:
        amr.append("mfa")
    stamp = request.session.get(SIGNED_IN_AT)
    if isinstance(stamp, int | float):
        at = datetime.fromtimestamp(stamp, UTC)
    else:
        at = getattr(request.user, "last_login", None) or datetime.now(UTC)
    return Authentication(tuple(amr), at)
