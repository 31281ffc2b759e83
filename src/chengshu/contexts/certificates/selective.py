"""SD-JWT (RFC 9901) and SD-JWT VC: issue, choose what to disclose, bind to the holder's key, open strictly. Pure.

The disclosures are made by the library ``sd-jwt``; the signature by the issuer's suite. Opening is our own, for the
library leaves out what the specification asks of a verifier: reserved names, digests met twice, disclosures of nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import ECKey
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer

from chengshu.contexts.certificates import suites

TYPE, BINDING_TYPE = "dc+sd-jwt", "kb+jwt"
# What SD-JWT VC and JWT take for themselves: no claim of a certificate may bear such a name.
RESERVED = frozenset(
    {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "status", "vct", "vct#integrity", "_sd", "_sd_alg", "..."}
)  # fmt: skip
# Clocks differ.
SLACK = dt.timedelta(minutes=2)
# How long a presentation that names no end is one of now.
SHOWN_FOR = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Parts:
    """An SD-JWT taken apart; ``binding`` is empty where no key was shown."""

    jwt: str
    disclosures: tuple[str, ...]
    binding: str

    @property
    def unbound(self) -> str:
        """Return it without its key binding: what the binding's digest covers."""
        return "~".join([self.jwt, *self.disclosures, ""])


class _Issuer(SDJWTIssuer):
    """The library's issuer with our suites: digest and signature of the key at hand."""

    def __init__(self, claims: Mapping[Any, Any], key: suites.Key, header: Mapping[str, Any]) -> None:
        name = suites.hash_name(key)
        self._key, self._header = key, dict(header)
        # The library calls `fn(bytes).digest()`.
        self.HASH_ALG = {"name": name, "fn": lambda content: _Digest(suites.HASHES[name](content))}
        super().__init__(dict(claims), key)

    def _create_signed_jws(self) -> None:
        payload = json.dumps(self.sd_jwt_payload, ensure_ascii=False, separators=(",", ":")).encode()
        self.serialized_sd_jwt = suites.compact(self._header, payload, self._key)


@dataclass(frozen=True, slots=True)
class _Digest:
    value: bytes

    def digest(self) -> bytes:
        """Return the digest, as hashlib's objects do."""
        return self.value


def issue(
    always: Mapping[str, Any],
    disclosable: Mapping[str, Any],
    key: suites.Key,
    *,
    holder: Mapping[str, Any] | None = None,
) -> str:
    """Return an SD-JWT VC: ``always`` in clear, each claim of ``disclosable`` apart; ``holder`` is a public JWK."""
    clash = [name for name in disclosable if name in RESERVED or name in always]
    if clash:
        raise ValueError(f"a claim may not be called {clash[0]!r}")
    claims: dict[Any, Any] = dict(always)
    if holder is not None:
        claims["cnf"] = {"jwk": {name: holder[name] for name in ("kty", "crv", "x", "y") if name in holder}}
    claims |= {SDObj(name): value for name, value in disclosable.items()}
    return str(_Issuer(claims, key, {"typ": TYPE}).sd_jwt_issuance)


def split(text: str) -> Parts:
    """Take an SD-JWT apart; raises ``ValueError`` when it is none."""
    jwt, *rest = text.strip().split("~")
    if not rest or jwt.count(".") != 2:
        raise ValueError("not an SD-JWT")
    return Parts(jwt, tuple(rest[:-1]), rest[-1])


def said_by(disclosure: str) -> list[Any]:
    """Return what a disclosure says: salt, name and value, or salt and value; unverified."""
    said = json.loads(suites.unb64(disclosure))
    if not isinstance(said, list) or len(said) not in (2, 3):
        raise ValueError("not a disclosure")
    return said


def disclosed_names(parts: Parts) -> dict[str, str]:
    """Return the disclosures of top-level claims by name, unverified: what a holder may choose from."""
    found = {}
    for each in parts.disclosures:
        said = said_by(each)
        if len(said) == 3:
            found[str(said[1])] = each
    return found


def present(
    text: str,
    names: Iterable[str],
    key: ECKey,
    *,
    audience: str,
    nonce: str,
    now: dt.datetime,
    until: dt.datetime | None = None,
) -> str:
    """Return a presentation: the claims named and no others, bound by the holder's key to one audience and nonce."""
    parts = split(text)
    by_name = disclosed_names(parts)
    chosen = tuple(by_name[name] for name in by_name if name in set(names))
    shown = Parts(parts.jwt, chosen, "")
    body = json.loads(suites.unb64(parts.jwt.split(".")[1]))
    digest = suites.HASHES[body.get("_sd_alg", "sha-256")](shown.unbound.encode())
    said: dict[str, Any] = {
        "iat": int(now.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": suites.b64(digest),
    }
    if until is not None:
        said["exp"] = int(until.timestamp())
    payload = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    # No `kid`: the key is the one that the credential names.
    binding = _without_kid({"typ": BINDING_TYPE}, payload, key)
    return shown.unbound + binding


def _without_kid(header: Mapping[str, Any], payload: bytes, key: ECKey) -> str:
    from joserfc import jws

    return str(
        jws.serialize_compact({"alg": suites.ES256, **header}, payload, key, algorithms=[suites.ES256])
    )


def open_claims(body: Mapping[str, Any], disclosures: Iterable[str]) -> dict[str, Any]:
    """Return a verified payload with its disclosures in their places; raises ``ValueError`` unless each has one place."""
    name = str(body.get("_sd_alg", "sha-256"))
    if name not in suites.HASHES:
        raise ValueError("unknown digest")
    by_digest: dict[str, list[Any]] = {}
    for each in disclosures:
        digest = suites.b64(suites.HASHES[name](each.encode("ascii")))
        if digest in by_digest:
            raise ValueError("a disclosure twice")
        by_digest[digest] = said_by(each)
    met: set[str] = set()
    opened = _opened({key: value for key, value in body.items() if key != "_sd_alg"}, by_digest, met)
    if set(by_digest) - met:
        raise ValueError("a disclosure of nothing that was signed")
    return dict(opened)


def _opened(value: Any, by_digest: Mapping[str, list[Any]], met: set[str]) -> Any:
    if isinstance(value, list):
        return [item for each in value for item in _opened_item(each, by_digest, met)]
    if not isinstance(value, dict):
        return value
    found = {name: _opened(each, by_digest, met) for name, each in value.items() if name != "_sd"}
    for digest in value.get("_sd", []):
        said = _met(digest, by_digest, met)
        if said is None:
            continue
        if len(said) != 3 or not isinstance(said[1], str) or said[1] in ("_sd", "...") or said[1] in found:
            raise ValueError("a disclosure out of place")
        found[said[1]] = _opened(said[2], by_digest, met)
    return found


def _opened_item(each: Any, by_digest: Mapping[str, list[Any]], met: set[str]) -> list[Any]:
    if not (isinstance(each, dict) and set(each) == {"..."}):
        return [_opened(each, by_digest, met)]
    said = _met(each["..."], by_digest, met)
    if said is None:
        return []
    if len(said) != 2:
        raise ValueError("a disclosure out of place")
    return [_opened(said[1], by_digest, met)]


def _met(digest: Any, by_digest: Mapping[str, list[Any]], met: set[str]) -> list[Any] | None:
    if not isinstance(digest, str) or digest in met:
        raise ValueError("a digest twice")
    if digest not in by_digest:
        return None
    met.add(digest)
    return by_digest[digest]


def open_binding(parts: Parts, body: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """Return what the holder signed; raises ``ValueError`` with a code unless it is theirs, of this text and of now."""
    jwk = (body.get("cnf") or {}).get("jwk")
    if not isinstance(jwk, dict):
        raise ValueError("binding-without-key")
    header = json.loads(suites.unb64(parts.binding.split(".")[0]))
    if header.get("typ") != BINDING_TYPE:
        raise ValueError("binding-broken")
    try:
        said = json.loads(suites.open_compact(parts.binding, jwk))
        digest = suites.HASHES[str(body.get("_sd_alg", "sha-256"))](parts.unbound.encode("ascii"))
        made = dt.datetime.fromtimestamp(int(said["iat"]), dt.UTC)
        ends = dt.datetime.fromtimestamp(int(said["exp"]), dt.UTC) if "exp" in said else None
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ValueError("binding-broken") from error
    if not all(isinstance(said.get(name), str) and said[name] for name in ("aud", "nonce")):
        # Without both it would answer anyone's question, for ever.
        raise ValueError("binding-broken")
    if said.get("sd_hash") != suites.b64(digest):
        raise ValueError("binding-other-text")
    if made > now + SLACK:
        raise ValueError("binding-too-early")
    if now > (ends if ends is not None else made + SHOWN_FOR):
        raise ValueError("binding-over")
    return dict(said)
