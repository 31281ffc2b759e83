"""Reads and writes of the provider: systems, consents, sign-ins on record, pseudonyms."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from oauth2_provider.models import AccessToken, Grant, RefreshToken, clear_expired

from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.interfaces.oidc import keys
from chengshu.interfaces.oidc.authentication import Authentication
from chengshu.interfaces.oidc.configuration import SCOPES
from chengshu.interfaces.oidc.models import ClientSystem, Consent, Pseudonym, SignIn
from chengshu.kernel.problems import Problem

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class NewSystem:
    """A system just registered; ``secret`` is shown once and kept only as a digest. A public client has none."""

    system: ClientSystem
    secret: str


def add_system(
    name: str,
    *,
    purpose: str,
    redirect_uris: Sequence[str],
    scopes: Iterable[str],
    actor: identity.Account | None,
    now: datetime,
    name_en: str = "",
    contact: str = "",
    post_logout_redirect_uris: Sequence[str] = (),
    public: bool = False,
) -> NewSystem:
    """Register a system that may sign people in through us."""
    wanted = sorted({"openid", *scopes}, key=SCOPES.index if set(scopes) <= set(SCOPES) else str)
    if unknown := set(wanted) - set(SCOPES):
        raise Problem(
            "scope-unknown", _("没有这种信息范围"), detail=", ".join(sorted(unknown)), status=400,
            remedy=", ".join(SCOPES),
        )  # fmt: skip
    check_addresses([*redirect_uris, *post_logout_redirect_uris])
    secret = "" if public else secrets.token_urlsafe(32)
    system = ClientSystem(
        client_id=secrets.token_hex(16),
        client_secret=secret,
        client_type=ClientSystem.CLIENT_PUBLIC if public else ClientSystem.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ClientSystem.GRANT_AUTHORIZATION_CODE,
        algorithm=ClientSystem.RS256_ALGORITHM,
        name=name,
        name_en=name_en,
        purpose=purpose,
        contact=contact,
        scopes=wanted,
        redirect_uris=" ".join(redirect_uris),
        post_logout_redirect_uris=" ".join(post_logout_redirect_uris),
    )
    with transaction.atomic():
        system.save()
        deposit(system, "oidc.system-added", {"scopes": wanted, "redirects": list(redirect_uris)}, actor, now)
    return NewSystem(system, secret)


def check_addresses(addresses: Sequence[str]) -> None:
    """Refuse an address to which no answer may go: no https (unless on this machine), a fragment, a name and password."""
    from urllib.parse import urlsplit

    for address in addresses:
        parts = urlsplit(address)
        local = parts.scheme == "http" and (parts.hostname or "") in {
            host.strip("[]") for host in LOCAL_HOSTS
        }
        if (
            not (parts.scheme == "https" or local)
            or not parts.hostname
            or "#" in address
            or "@" in parts.netloc
        ):
            raise Problem(
                "redirect-address",
                _("回调地址须以 https:// 开头"),
                detail=address,
                remedy=_("只有本机调试可以用 http://127.0.0.1"),
                status=400,
            )
    if not addresses:
        raise Problem("redirect-address", _("至少要有一个回调地址"), status=400)


def renew_secret(system: ClientSystem, actor: identity.Account | None, now: datetime) -> str:
    """Give a system a new secret; the old one counts no more."""
    if system.client_type == ClientSystem.CLIENT_PUBLIC:
        raise Problem("system-public", _("公开客户端没有密钥"), status=400)
    secret = secrets.token_urlsafe(32)
    system.client_secret = secret
    with transaction.atomic():
        system.save(update_fields=["client_secret", "updated"])
        deposit(system, "oidc.secret-renewed", {}, actor, now)
    return secret


def end_system(system: ClientSystem, actor: identity.Account | None, now: datetime) -> None:
    """End a system: nobody signs in to it through us any more, and what it holds of ours is void."""
    with transaction.atomic():
        ClientSystem.objects.filter(pk=system.pk, ended_at=None).update(ended_at=now)
        revoke_tokens(system=system, now=now)
        deposit(system, "oidc.system-ended", {}, actor, now)


def deposit(
    system: ClientSystem, kind: str, more: dict[str, Any], actor: identity.Account | None, now: datetime
) -> Any:
    """Put what happened to a system into the ledger."""
    payload = {"system": system.client_id, "actor": str(actor.pk) if actor else "", **more}
    return ledger.deposit(kind, f"system:{system.client_id}", payload, now=now)


def systems() -> list[ClientSystem]:
    """Return every system, those in force first."""
    return sorted(ClientSystem.objects.order_by("name"), key=lambda each: each.ended_at is not None)


def system_named(client_id: str) -> ClientSystem | None:
    """Return a system by its client id."""
    return ClientSystem.objects.filter(client_id=client_id).first()


def pseudonym(account_id: int, system_id: int) -> str:
    """Return what an account is called towards a system; made at its first sign-in."""
    row, _made = Pseudonym.objects.get_or_create(
        account_id=account_id, system_id=system_id, defaults={"sub": uuid.uuid4()}
    )
    return str(row.sub)


def consented(account: Any, system: ClientSystem, scopes: Iterable[str]) -> bool:
    """Say whether this person has allowed the system all of this, and not taken it back."""
    row = Consent.objects.filter(account_id=account.pk, system=system, revoked_at=None).first()
    return row is not None and set(scopes) <= set(row.scopes)


def give_consent(account: Any, system: ClientSystem, scopes: Iterable[str], now: datetime) -> None:
    """Remember what someone allowed a system; what they allowed before stays."""
    with transaction.atomic():
        row, made = Consent.objects.select_for_update().get_or_create(
            account_id=account.pk,
            system=system,
            revoked_at=None,
            defaults={"scopes": sorted(scopes), "given_at": now},
        )
        if not made:
            row.scopes, row.given_at = sorted({*row.scopes, *scopes}), now
            row.save(update_fields=["scopes", "given_at"])
        deposit(system, "oidc.consent", {"scopes": row.scopes, "at": _iso(now)}, account, now)


def revoke_consent(account: Any, consent_id: int, now: datetime) -> bool:
    """Take back what one allowed a system: its tokens for this person are void at once. False when there is none."""
    row = (
        Consent.objects.select_related("system")
        .filter(pk=consent_id, account_id=account.pk, revoked_at=None)
        .first()
    )
    if row is None:
        return False
    with transaction.atomic():
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        revoke_tokens(system=row.system, account_id=account.pk, now=now)
        deposit(row.system, "oidc.consent-revoked", {"scopes": row.scopes}, account, now)
    return True


def revoke_tokens(*, now: datetime, system: ClientSystem, account_id: int | None = None) -> None:
    """Void the codes and tokens of a system, of one person or of all."""
    who = {"application": system} if account_id is None else {"application": system, "user_id": account_id}
    Grant.objects.filter(**who).delete()
    RefreshToken.objects.filter(**who, revoked=None).update(revoked=now, access_token=None)
    AccessToken.objects.filter(**who).delete()


def code_digest(code: str) -> str:
    """Digest an authorisation code, which is random."""
    return hashlib.sha256(code.encode()).hexdigest()


def note_sign_in(
    account: Any,
    system: ClientSystem,
    scopes: Sequence[str],
    authentication: Authentication,
    code: str,
    now: datetime,
) -> SignIn:
    """Put one sign-in to a system on record, with its leaf in the ledger, in one transaction."""
    with transaction.atomic():
        row = SignIn.objects.create(
            account=account,
            system=system,
            scopes=sorted(scopes),
            amr=list(authentication.amr),
            authenticated_at=authentication.at,
            code_digest=code_digest(code),
            at=now,
        )
        payload = {
            "sign_in": str(row.pk),
            "account": str(account.pk),
            "system": system.client_id,
            "scopes": row.scopes,
            "amr": row.amr,
            "at": _iso(now),
        }
        leaf = ledger.deposit("oidc.sign-in", f"sign-in:{row.pk}", payload, now=now)
        row.leaf_id, row.leaf_salt = leaf.id, leaf.salt
        row.save(update_fields=["leaf_id", "leaf_salt"])
    return row


def consents_of(account: Any) -> list[Consent]:
    """Return what someone allows now, by system."""
    rows = Consent.objects.filter(account_id=account.pk, revoked_at=None).select_related("system")
    return list(rows.order_by("system__name"))


def sign_ins_of(account: Any, most: int = 20) -> list[SignIn]:
    """Return someone's last sign-ins to other systems."""
    return list(SignIn.objects.filter(account_id=account.pk).select_related("system").order_by("-at")[:most])


def account_of_token(secret: str, scope: str, now: datetime) -> identity.Account | None:
    """Return whose access token this is, when it is in force and was given for ``scope``; another interface of ours asks."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    row = (
        AccessToken.objects.select_related("user__department", "application")
        .filter(token_checksum=digest)
        .first()
    )
    good = (
        row is not None
        and row.expires > now
        and scope in row.scope.split()
        and row.application.ended_at is None
    )
    return row.user if good and identity.may_act(row.user) else None


def tidy(now: datetime) -> None:
    """Delete tokens that are no longer good for anything, and keys that no longer verify anything."""
    clear_expired()
    keys.drop_old(now)


def issuer() -> str:
    """Return the address that names us as a provider."""
    return str(settings.PUBLIC_URL)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
