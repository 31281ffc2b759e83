"""Outside identity providers that people may come in from, as ``var/providers.yaml`` declares them.

    providers:
      - code: province
        title: {zh: 省统一身份认证平台, en: Provincial identity platform}
        issuer: https://id.example.gov.cn
        client_id: chengshu
        secret: CHENGSHU_PROVINCE_SECRET   # the name of an environment variable
        scopes: [openid, profile, phone]
        roles: [resident]                  # who may link an account
        match:                             # what must agree before an account is linked
          - {claim: phone_number, verified: phone_number_verified, element: person.phone}

``verified`` names the claim that says whether the value was verified; ``always`` for a provider that says only what it verified.
``element``: ``person.*`` of the golden record, or ``staff.name``, ``staff.account``, ``staff.contact`` of the account.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import load_yaml

FILE = "providers.yaml"
KEYS = {"code", "title", "issuer", "client_id", "secret", "scopes", "roles", "match"}
STAFF_ELEMENTS = {"staff.name": "display_name", "staff.account": "username", "staff.contact": "email"}
ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Match:
    """One claim that must agree with what the district holds."""

    claim: str
    verified: str
    element: str


@dataclass(frozen=True, slots=True)
class Provider:
    """One outside provider."""

    code: str
    title: dict[str, str]
    issuer: str
    client_id: str
    secret_name: str
    scopes: tuple[str, ...]
    roles: tuple[str, ...]
    match: tuple[Match, ...]

    @property
    def secret(self) -> str:
        """The client secret, from the environment."""
        return os.environ.get(self.secret_name, "") if self.secret_name else ""

    @property
    def shown_title(self) -> str:
        """The name in the reader's language."""
        return self.title["en" if (get_language() or "").startswith("en") else "zh"]


def providers() -> list[Provider]:
    """Return the providers declared; none without the file."""
    path = Path(settings.VAR_DIR) / FILE
    try:
        return list(_read(path, path.stat().st_mtime_ns))
    except FileNotFoundError:
        return []


def provider(code: str) -> Provider | None:
    """Return one provider by its code."""
    return next((each for each in providers() if each.code == code), None)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> tuple[Provider, ...]:
    tree = load_yaml(path)
    rows = tree.get("providers") if isinstance(tree, dict) else None
    if not isinstance(rows, list):
        raise _wrong(path, "the file has one list: providers")
    return tuple(_provider(path, dict(row)) for row in rows)


def _provider(path: Path, row: dict[str, Any]) -> Provider:
    unknown = set(row) - KEYS
    missing = {"code", "title", "issuer", "client_id", "match"} - set(row)
    if unknown or missing:
        raise _wrong(path, f"unknown: {sorted(unknown)}, missing: {sorted(missing)}")
    issuer = str(row["issuer"])
    if not issuer.startswith("https://") and not issuer.startswith(("http://127.0.0.1", "http://localhost")):
        raise _wrong(path, "an issuer has an https address")
    roles = tuple(str(each) for each in row.get("roles") or ["resident"])
    if unknown_roles := set(roles) - set(identity.ALL_ROLES):
        raise _wrong(path, f"unknown roles: {sorted(unknown_roles)}")
    match = tuple(_match(path, dict(each)) for each in row["match"] or [])
    if not match:
        raise _wrong(path, "without a claim to match anyone could link anyone")
    return Provider(
        code=str(row["code"]),
        title={"zh": str(row["title"]["zh"]), "en": str(row["title"]["en"])},
        issuer=issuer,
        client_id=str(row["client_id"]),
        secret_name=str(row.get("secret") or ""),
        scopes=tuple(dict.fromkeys(["openid", *(str(each) for each in row.get("scopes") or [])])),
        roles=roles,
        match=match,
    )


def _match(path: Path, row: dict[str, Any]) -> Match:
    if set(row) != {"claim", "verified", "element"}:
        raise _wrong(path, "a match has claim, verified, element")
    found = Match(str(row["claim"]), str(row["verified"]), str(row["element"]))
    if not found.element.startswith("person.") and found.element not in STAFF_ELEMENTS:
        raise _wrong(path, f"cannot match against {found.element}")
    return found


def _wrong(path: Path, detail: str) -> Problem:
    return Problem(
        "providers-file",
        "The file of outside providers is not right",
        detail=detail,
        where=Where(file=path.name),
    )
