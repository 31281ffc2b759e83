"""A certificate into the holder's own wallet (OpenID for Verifiable Credential Issuance 1.0), from offer to credential.

Refusals are ``WalletRefusal`` with the error codes of the specification; ``interfaces/oid4vci`` answers them over HTTP.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from chengshu.contexts.certificates import credential_types, domain, making, places, queries, suites
from chengshu.contexts.certificates.models import (
    Certificate,
    Issue,
    Offer,
    StatusList,
    UsedNonce,
    WalletCredential,
)
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

FORMAT, PROOF_TYPE = "dc+sd-jwt", "openid4vci-proof+jwt"
SCOPE = "openid4vci"
PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
OFFER_LIFE, TOKEN_LIFE, NONCE_LIFE = (
    dt.timedelta(minutes=10),
    dt.timedelta(minutes=10),
    dt.timedelta(minutes=5),
)
PROOF_SKEW = dt.timedelta(minutes=5)
TX_DIGITS, WRONG_TRIES, BATCH = 6, 5, 10
EVENTS = ("credential_accepted", "credential_failure", "credential_deleted")


class WalletRefusal(Exception):
    """A refusal in the words of the specification."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


@dataclass(frozen=True, slots=True)
class Grant:
    """What a bearer token is good for: one offered certificate, or (authorisation code) those of an account."""

    account: str
    offer: Offer | None = None


# Who knows the access tokens of our own OpenID provider: token → number of the account, or None.
_bearers: list[Callable[[str, dt.datetime], int | None]] = []
# The address of that provider, for the issuer's metadata.
_servers: list[Callable[[], str]] = []


def register_bearer(handler: Callable[[str, dt.datetime], int | None], server: Callable[[], str]) -> None:
    """Let tokens of an authorisation server fetch certificates of the account that they stand for."""
    _bearers[:], _servers[:] = [handler], [server]


def issuer_id() -> str:
    """Return the identifier of the credential issuer: one for the installation, whichever department signs."""
    return f"{settings.PUBLIC_URL}/oid4vci"


def make_offer(row: Certificate, account: identity.Account, now: dt.datetime) -> tuple[Offer, str]:
    """Return an offer and its transaction code, which only the holder's page shows, once."""
    if not queries.holds(row, account) or not _in_force(row, now):
        raise Problem("certificate-not-offered", "这份证照现在不能放进钱包", detail=row.number, status=409)
    tx_code = f"{secrets.randbelow(10**TX_DIGITS):0{TX_DIGITS}d}"
    code = secrets.token_urlsafe(32)
    made = Offer.objects.create(
        reference=secrets.token_urlsafe(24),
        certificate=row,
        account=str(account.pk),
        code=code,
        code_digest=_digest(code),
        tx_digest=_digest(f"{code}:{tx_code}"),
        made_at=now,
        expires_at=now + OFFER_LIFE,
    )
    return made, tx_code


def offer_link(offer: Offer) -> str:
    """Return the link that opens a wallet: as QR code or tapped on the same phone."""
    from urllib.parse import quote

    return f"openid-credential-offer://?credential_offer_uri={quote(f'{issuer_id()}/offers/{offer.reference}', safe='')}"


def offer_said(reference: str, now: dt.datetime) -> dict[str, Any] | None:
    """Return a credential offer as wallets read it; None when it is over, taken or unknown."""
    offer = (
        Offer.objects.select_related("certificate").filter(reference=reference, expires_at__gt=now).first()
    )
    if offer is None or offer.taken_at is not None or offer.wrong_tries >= WRONG_TRIES:
        return None
    grant: dict[str, Any] = {
        "pre-authorized_code": offer.code,
        "tx_code": {"input_mode": "numeric", "length": TX_DIGITS, "description": "页面上显示的六位数字"},
    }
    grants: dict[str, Any] = {
        PRE_AUTHORIZED: {**grant, **({"authorization_server": issuer_id()} if _servers else {})}
    }
    if _servers:
        grants["authorization_code"] = {"authorization_server": _servers[0]()}
    return {
        "credential_issuer": issuer_id(),
        "credential_configuration_ids": [offer.certificate.type],
        "grants": grants,
    }


def issuer_metadata() -> dict[str, Any]:
    """Return the metadata of the credential issuer."""
    base = issuer_id()
    return {
        "credential_issuer": base,
        "authorization_servers": [base, *(server() for server in _servers)],
        "credential_endpoint": f"{base}/credential",
        "nonce_endpoint": f"{base}/nonce",
        "notification_endpoint": f"{base}/notification",
        "batch_credential_issuance": {"batch_size": BATCH},
        "display": [
            {"locale": "zh-CN", "name": settings.DISTRICT["name"]["zh"]},
            {"locale": "en", "name": settings.DISTRICT["name"]["en"]},
        ],
        "credential_configurations_supported": {
            code: _configuration(code, title, labels) for code, title, labels in _offered_types()
        },
    }


def server_metadata() -> dict[str, Any]:
    """Return the metadata of the authorisation server that takes pre-authorised codes."""
    base = issuer_id()
    return {
        "issuer": base,
        "token_endpoint": f"{base}/token",
        "grant_types_supported": [PRE_AUTHORIZED],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


Labels = Mapping[str, Mapping[str, str]]


def _offered_types() -> list[tuple[str, Mapping[str, str], Labels]]:
    """Return the declared types and those that packs brought, with their words."""
    known = credential_types.known_types()
    found: list[tuple[str, Mapping[str, str], Labels]] = [
        (code, each.title, {}) for code, each in known.items()
    ]
    # SQLite and PostgreSQL alike: the newest certificate of each further type speaks for it.
    newest = Certificate.objects.exclude(type__in=known).values("type").order_by("type")
    for type_ in newest.distinct().values_list("type", flat=True)[:100]:
        row = Certificate.objects.filter(type=type_).order_by("-pk")[0]
        labels = {item["name"]: item["label"] for item in json.loads(row.claims)}
        found.append((type_, {"zh": row.title_zh, "en": row.title_en}, labels))
    return found


def _configuration(code: str, title: Mapping[str, str], labels: Labels) -> dict[str, Any]:
    said = credential_types.metadata(code, making.vct_of(code), title, labels)
    return {
        "format": FORMAT,
        # One scope for all of one's certificates: the wallet then asks for a configuration.
        "scope": SCOPE,
        "vct": said["vct"],
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
        "credential_metadata": {
            "display": [{"locale": each["locale"], "name": each["name"]} for each in said["display"]],
            "claims": [
                {
                    "path": claim["path"],
                    "display": [
                        {"locale": each["locale"], "name": each["label"]} for each in claim["display"]
                    ],
                }
                for claim in said["claims"]
            ],
        },
    }


def take_token(grant_type: str, code: str, tx_code: str, now: dt.datetime) -> dict[str, Any]:
    """Give an access token for a pre-authorised code and its transaction code: once."""
    if grant_type != PRE_AUTHORIZED:
        raise WalletRefusal("unsupported_grant_type", "only pre-authorised codes are taken here")
    with transaction.atomic():
        offer = (
            Offer.objects.select_for_update()
            .select_related("certificate")
            .filter(code_digest=_digest(code))
            .first()
        )
        over = offer is None or offer.taken_at or offer.wrong_tries >= WRONG_TRIES or offer.expires_at <= now
        if offer is None or over:
            raise WalletRefusal("invalid_grant", "the code is unknown, was used, or its time is over")
        right = constant_time_compare(offer.tx_digest, _digest(f"{code}:{tx_code}"))
        token = secrets.token_urlsafe(32)
        if right:
            offer.taken_at, offer.token_digest, offer.token_until = now, _digest(token), now + TOKEN_LIFE
        else:
            offer.wrong_tries += 1
        offer.save()
    if not right:
        # Outside the transaction: the count of wrong tries must stand.
        raise WalletRefusal("invalid_grant", "the transaction code is wrong")
    type_ = offer.certificate.type
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()),
        "authorization_details": [
            {
                "type": "openid_credential",
                "credential_configuration_id": type_,
                "credential_identifiers": [offer.certificate.number],
            }
        ],
    }


def grant_of(token: str, now: dt.datetime) -> Grant:
    """Return what a bearer token is good for."""
    offer = (
        Offer.objects.select_related("certificate")
        .filter(token_digest=_digest(token), token_until__gt=now)
        .first()
        if token
        else None
    )
    if offer is not None:
        return Grant(offer.account, offer)
    for each in _bearers:
        account = each(token, now) if token else None
        if account is not None:
            return Grant(str(account))
    raise WalletRefusal("invalid_token", "the access token is unknown or its time is over", 401)


def fresh_nonce(now: dt.datetime) -> str:
    """Return a nonce for proofs: good for minutes and once; nothing is kept until it is used."""
    said = f"{int(now.timestamp()):x}.{secrets.token_urlsafe(12)}"
    return f"{said}.{_mac(said)}"


def _check_nonce(nonce: str, now: dt.datetime) -> None:
    said, _, mac = nonce.rpartition(".")
    if not said or not constant_time_compare(mac, _mac(said)):
        raise WalletRefusal("invalid_nonce", "the nonce is not of ours")
    made = dt.datetime.fromtimestamp(int(said.partition(".")[0], 16), dt.UTC)
    if not made <= now + dt.timedelta(seconds=30) or now - made > NONCE_LIFE:
        raise WalletRefusal("invalid_nonce", "the time of the nonce is over")


def _use_nonce(nonce: str, now: dt.datetime) -> None:
    UsedNonce.objects.filter(at__lt=now - 2 * NONCE_LIFE).delete()
    try:
        with transaction.atomic():
            UsedNonce.objects.create(digest=_digest(nonce), at=now)
    except IntegrityError as error:
        raise WalletRefusal("invalid_nonce", "the nonce was used") from error


def issue_to_wallet(grant: Grant, asked: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """Issue a credential for each proof of a request, bound to its key, each with a place of its own in the status list."""
    row = _asked_for(grant, asked, now)
    proofs = asked.get("proofs")
    texts = proofs.get("jwt") if isinstance(proofs, dict) and set(proofs) == {"jwt"} else None
    if not isinstance(texts, list) or not 1 <= len(texts) <= BATCH:
        raise WalletRefusal("invalid_proof", f"proofs.jwt must hold one to {BATCH} proofs")
    opened = [_open_proof(text, now) for text in texts]
    nonces, jwks = {nonce for nonce, _ in opened}, [jwk for _, jwk in opened]
    if len(nonces) != 1 or len({suites.thumbprint_of(jwk) for jwk in jwks}) != len(jwks):
        raise WalletRefusal("invalid_proof", "one nonce and a different key for each proof")
    _check_nonce(*nonces, now)
    with transaction.atomic():
        _use_nonce(*nonces, now)
        return _issued(row, grant, jwks, now)


def _asked_for(grant: Grant, asked: Mapping[str, Any], now: dt.datetime) -> Certificate:
    identifier, configuration = asked.get("credential_identifier"), asked.get("credential_configuration_id")
    if (identifier is None) == (configuration is None):
        raise WalletRefusal(
            "invalid_credential_request", "give credential_identifier or credential_configuration_id"
        )
    row = (
        grant.offer.certificate if grant.offer else _of_account(grant.account, identifier, configuration, now)
    )
    if row is None or (identifier is not None and identifier != row.number):
        raise WalletRefusal("unknown_credential_identifier", "this token is not good for that credential")
    if configuration is not None and configuration != row.type:
        raise WalletRefusal(
            "unknown_credential_configuration", "this token is not good for that configuration"
        )
    if not _in_force(row, now):
        raise WalletRefusal("credential_request_denied", "the certificate is not in force")
    return row


def _of_account(account: str, identifier: Any, configuration: Any, now: dt.datetime) -> Certificate | None:
    rows = _certificates_of(account)
    if identifier is not None:
        return rows.filter(number=str(identifier)).first()
    # One that has run out or is yet to come does not stand before one that is in force.
    found = list(rows.filter(type=str(configuration))[:100])
    return next((row for row in found if _in_force(row, now)), found[0] if found else None)


def _certificates_of(account: str) -> QuerySet[Certificate]:
    held = identity.account(int(account))
    return queries.certificates_of(held) if held is not None else Certificate.objects.none()


def _issued(
    row: Certificate, grant: Grant, jwks: Sequence[Mapping[str, Any]], now: dt.datetime
) -> dict[str, Any]:
    issue = Issue.objects.select_related("certificate").get(certificate=row, version=row.version)
    content, notification = making.content_of(issue), secrets.token_urlsafe(20)
    credentials = []
    for jwk in jwks:
        status_list, index = places.take(making.issuer_of(row), StatusList.Kind.WALLET, now)
        WalletCredential.objects.create(
            issue=issue,
            offer=grant.offer,
            holder_kid=suites.thumbprint_of(jwk),
            status_list=status_list,
            status_index=index,
            notification=notification,
            issued_at=now,
        )
        placed = making.with_place(content, status_list.pk, index)
        credentials.append({"credential": making.sd_jwt_of(issue, placed, jwk, now)})
    said = {
        "number": row.number,
        "version": issue.version,
        "keys": [suites.thumbprint_of(jwk) for jwk in jwks],
    }
    ledger.deposit("certificate.wallet", f"certificate:{row.number}", said, now=now)
    return {"credentials": credentials, "notification_id": notification}


def _open_proof(text: Any, now: dt.datetime) -> tuple[str, Mapping[str, Any]]:
    """Return the nonce and the public key of a proof of possession."""
    try:
        header = json.loads(suites.unb64(str(text).split(".")[0]))
        jwk = header["jwk"]
        if (
            header.get("typ") != PROOF_TYPE
            or header.get("alg") != "ES256"
            or "d" in jwk
            or jwk["crv"] != "P-256"
        ):
            raise ValueError("typ, alg or key")
        public = {name: str(jwk[name]) for name in ("kty", "crv", "x", "y")}
        said = json.loads(suites.open_compact(str(text), public))
        made = dt.datetime.fromtimestamp(int(said["iat"]), dt.UTC)
        audience = said["aud"] if isinstance(said["aud"], list) else [said["aud"]]
        nonce = said.get("nonce")
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise WalletRefusal("invalid_proof", "the proof does not hold") from error
    if issuer_id() not in audience:
        raise WalletRefusal("invalid_proof", "the proof is for another issuer")
    if abs(now - made) > PROOF_SKEW:
        raise WalletRefusal("invalid_proof", "the proof was made at another time")
    if not isinstance(nonce, str) or not nonce or not nonce.isascii():
        raise WalletRefusal("invalid_nonce", "the proof bears no nonce")
    return nonce, public


def take_notice(grant: Grant, asked: Mapping[str, Any]) -> None:
    """Note what a wallet tells about what it took; repeating it changes nothing."""
    event, notification = asked.get("event"), asked.get("notification_id")
    if event not in EVENTS or not isinstance(notification, str):
        raise WalletRefusal("invalid_notification_request", "event or notification_id is missing")
    rows = WalletCredential.objects.filter(notification=notification)
    rows = (
        rows.filter(offer=grant.offer)
        if grant.offer
        else rows.filter(offer=None, issue__certificate__in=_certificates_of(grant.account))
    )
    if not rows.update(told=event):
        raise WalletRefusal("invalid_notification_id", "there is no such notification")


def wallet_credentials(row: Certificate) -> list[WalletCredential]:
    """Return what wallets took of a certificate, newest first."""
    return list(WalletCredential.objects.filter(issue__certificate=row).order_by("-pk")[:50])


def withdraw(row: Certificate, credential_id: int, now: dt.datetime) -> None:
    """Withdraw what one wallet took (a lost phone): its place says invalid from now on."""
    found = WalletCredential.objects.filter(
        issue__certificate=row, pk=credential_id, withdrawn_at=None
    ).first()
    if found is None:
        raise Problem("wallet-credential-unknown", "没有这份钱包凭证", status=404)
    with transaction.atomic():
        found.withdrawn_at = now
        found.save(update_fields=["withdrawn_at"])
        said = {"number": row.number, "withdrawn": found.holder_kid}
        ledger.deposit("certificate.wallet", f"certificate:{row.number}", said, now=now)


def _in_force(row: Certificate, now: dt.datetime) -> bool:
    on = legal_day(now)
    return domain.effective_state(row.state, row.valid_from, row.valid_to, on) == domain.ACTIVE


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _mac(said: str) -> str:
    return salted_hmac("chengshu.oid4vci.nonce", said, algorithm="sha256").hexdigest()[:40]
