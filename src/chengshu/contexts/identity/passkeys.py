"""Passkeys (WebAuthn): register, sign in with, or use as the second factor.

The relying party is the host that the browser speaks to, one of ``ALLOWED_HOSTS``. Signing in by passkey alone asks the
device to verify its user (PIN, finger, face), so it is two factors in one; as a second factor its presence is enough.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import webauthn
from django.http import HttpRequest
from django.utils.translation import gettext as _
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from chengshu.contexts.identity.models import Account, Passkey
from chengshu.contexts.identity.sealing import keyed_digest
from chengshu.kernel.problems import Problem

CHALLENGE_KEY = "passkey_challenge"
CHALLENGE_SECONDS = 300
MOST = 20


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose passkey signed, and whether the device verified its user."""

    account: Account
    verified: bool
    synced: bool

    @property
    def amr(self) -> tuple[str, ...]:
        """Means of sign-in by RFC 8176: a key in hardware or in a synced store, with its user verified."""
        key = "swk" if self.synced else "hwk"
        return (key, "user", "mfa") if self.verified else (key,)


def relying_party(request: HttpRequest) -> str:
    """Return the host without port, which passkeys are bound to."""
    return request.get_host().rsplit(":", 1)[0]


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def user_handle(account: Account) -> bytes:
    """Return what devices keep for the account: it says nothing about the person."""
    return bytes.fromhex(keyed_digest("passkey", str(account.pk)))[:32]


def creation_options(request: HttpRequest, account: Account, now: datetime) -> str:
    """Return the options to register a passkey, as JSON; the challenge waits in the session."""
    options = webauthn.generate_registration_options(
        rp_id=relying_party(request),
        rp_name=_("城枢"),
        user_id=user_handle(account),
        user_name=account.username,
        user_display_name=account.display_name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[_descriptor(row) for row in account.passkeys.all()],
    )
    _keep(request, options.challenge, now)
    return options_to_json(options)


def request_options(request: HttpRequest, account: Account | None, now: datetime) -> str:
    """Return the options to sign in, as JSON; without an account the device offers those it has for this host."""
    rows = account.passkeys.all() if account else []
    alone = UserVerificationRequirement.REQUIRED
    options = webauthn.generate_authentication_options(
        rp_id=relying_party(request),
        allow_credentials=[_descriptor(row) for row in rows],
        user_verification=UserVerificationRequirement.PREFERRED if account else alone,
    )
    _keep(request, options.challenge, now)
    return options_to_json(options)


def _descriptor(row: Passkey) -> PublicKeyCredentialDescriptor:
    known = {each.value for each in AuthenticatorTransport}
    transports = [AuthenticatorTransport(each) for each in row.transports if each in known]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.credential), transports=transports or None)


def _keep(request: HttpRequest, challenge: bytes, now: datetime) -> None:
    request.session[CHALLENGE_KEY] = [bytes_to_base64url(challenge), int(now.timestamp())]


def _challenge(request: HttpRequest, now: datetime) -> bytes:
    """Return the challenge that waits, once."""
    kept = request.session.pop(CHALLENGE_KEY, None)
    if not kept or now.timestamp() - kept[1] > CHALLENGE_SECONDS:
        raise _refused("no challenge waits")
    return base64url_to_bytes(kept[0])


def _refused(detail: str) -> Problem:
    return Problem(
        "passkey-refused", _("通行密钥没有通过"), detail=detail, status=422, remedy=_("请再试一次"),
    )  # fmt: skip


def register(request: HttpRequest, account: Account, answer: str, name: str, now: datetime) -> Passkey:
    """Keep a passkey that this account's device has just made; raises ``Problem`` when it does not check out."""
    if account.passkeys.count() >= MOST:
        raise Problem("passkeys-full", _("通行密钥太多，请先移除不用的"), detail=str(MOST), status=409)
    challenge, given = _challenge(request, now), _parsed(answer)
    try:
        checked = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=relying_party(request),
            expected_origin=_origin(request),
        )
    except WebAuthnException as error:
        raise _refused(type(error).__name__) from error
    credential = bytes_to_base64url(checked.credential_id)
    digest = _digest(credential)
    if Passkey.objects.filter(credential_digest=digest).exists():
        raise Problem("passkey-known", _("这个通行密钥已经登记过"), status=409)
    named = given["response"].get("transports")
    transports = named if isinstance(named, list) else []
    return Passkey.objects.create(
        account=account,
        credential=credential,
        credential_digest=digest,
        public_key=base64.b64encode(checked.credential_public_key).decode(),
        sign_count=checked.sign_count,
        transports=[str(each)[:20] for each in transports][:6],
        synced=checked.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
        name=name,
        made_at=now,
    )


def verify(request: HttpRequest, account: Account | None, answer: str, now: datetime) -> Proof:
    """Check a signature; with ``account`` it must be theirs, without one the device's user must be verified."""
    challenge, given = _challenge(request, now), _parsed(answer)
    row = _known(str(given.get("id", "")), account)
    try:
        checked = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=relying_party(request),
            expected_origin=_origin(request),
            credential_public_key=base64.b64decode(row.public_key),
            credential_current_sign_count=row.sign_count,
            require_user_verification=account is None,
        )
    except WebAuthnException as error:
        raise _refused(type(error).__name__) from error
    Passkey.objects.filter(pk=row.pk).update(sign_count=checked.new_sign_count, last_used_at=now)
    return Proof(row.account, checked.user_verified, row.synced)


def _known(credential: str, account: Account | None) -> Passkey:
    rows = Passkey.objects.select_related("account").filter(credential_digest=_digest(credential))
    row = (rows.filter(account=account) if account else rows).first()
    if row is None:
        raise _refused("unknown credential")
    return row


def _parsed(answer: str) -> dict[str, Any]:
    try:
        given = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise _refused("not JSON") from error
    if not isinstance(given, dict):
        raise _refused("not an object")
    return given


def _digest(credential: str) -> str:
    return hashlib.sha256(credential.rstrip("=").encode()).hexdigest()


def remove(account: Account, passkey_id: int) -> bool:
    """Forget one of the account's own passkeys."""
    return bool(account.passkeys.filter(pk=passkey_id).delete()[0])
