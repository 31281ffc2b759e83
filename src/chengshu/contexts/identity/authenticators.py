"""Second factors by code: an authenticator app (TOTP, RFC 6238) and recovery codes on paper.

A code is accepted once: the time step of the last accepted one is kept, and only later ones count. Steps of 30 s, one step
of skew to either side.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import pyotp
import segno
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chengshu.contexts.identity.models import Account, Authenticator, RecoveryCode
from chengshu.contexts.identity.sealing import keyed_digest, seal, unseal
from chengshu.kernel.problems import Problem

STEP_SECONDS, SKEW_STEPS = 30, 1
CODES, GROUPS, GROUP_LENGTH = 10, 4, 4
# 32 letters without those that look alike on paper: 16 of them are 80 bits.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def begin(account: Account, now: datetime) -> None:
    """Make a new secret that waits for its first right code; a confirmed one stays until it is removed."""
    sealed = seal(pyotp.random_base32(), f"totp:{account.pk}")
    try:
        with transaction.atomic():
            # Whatever is confirmed at this very moment stays: another secret under it would lock its owner out.
            Authenticator.objects.filter(account=account, confirmed_at=None).delete()
            Authenticator.objects.create(account=account, sealed_secret=sealed, made_at=now)
    except IntegrityError as error:
        raise Problem("authenticator-there", _("已经设置了验证器，请先移除再重新设置"), status=409) from error


def waiting_secret(account: Account) -> str | None:
    """Return the secret to enrol; None when nothing waits to be confirmed."""
    row = Authenticator.objects.filter(account=account, confirmed_at=None).first()
    return _secret(row) if row else None


def enrolment_uri(account: Account, secret: str, issuer: str) -> str:
    """Return the ``otpauth://`` address that apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.username, issuer_name=issuer)


def enrolment_picture(uri: str) -> str:
    """Return the address as a QR code: inline SVG without a style, dark on white in every theme."""
    return str(segno.make(uri, error="m").svg_inline(scale=5, border=3, dark="#000", light="#fff"))


def confirm(account: Account, code: str, now: datetime) -> bool:
    """Take the first code: from here on the authenticator counts."""
    row = Authenticator.objects.filter(account=account, confirmed_at=None).first()
    step = _step_of(row, code, now) if row else None
    if row is None or step is None:
        return False
    waiting = Authenticator.objects.filter(pk=row.pk, confirmed_at=None)
    return waiting.update(confirmed_at=now, last_step=step) == 1


def accept_code(account: Account, code: str, now: datetime) -> bool:
    """Take a code at sign-in; one that was taken before, or is older, is refused."""
    row = Authenticator.objects.filter(account=account).exclude(confirmed_at=None).first()
    step = _step_of(row, code, now) if row else None
    if row is None or step is None:
        return False
    # Two requests with the same code: the database lets one of them through.
    return Authenticator.objects.filter(pk=row.pk, last_step__lt=step).update(last_step=step) == 1


def _step_of(row: Authenticator, code: str, now: datetime) -> int | None:
    secret, digits = _secret(row), "".join(code.split())
    if secret is None or not (digits.isascii() and digits.isdigit()):
        return None
    current = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    for step in range(current - SKEW_STEPS, current + SKEW_STEPS + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits):
            return step if step > row.last_step else None
    return None


def _secret(row: Authenticator) -> str | None:
    return unseal(row.sealed_secret, f"totp:{row.account_id}")


def remove(account: Account) -> bool:
    """Forget the authenticator."""
    return bool(Authenticator.objects.filter(account=account).delete()[0])


def confirmed(account: Account) -> bool:
    """Say whether an authenticator counts for this account."""
    return Authenticator.objects.filter(account=account).exclude(confirmed_at=None).exists()


def new_recovery_codes(account: Account, now: datetime) -> list[str]:
    """Make ten codes and return them, the only time; those from before hold no longer."""
    codes = ["-".join(_letters(GROUP_LENGTH) for _group in range(GROUPS)) for _code in range(CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(account=account).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(account=account, digest=_digest(account, code), made_at=now) for code in codes
        )
    return codes


def _letters(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def _digest(account: Account, code: str) -> str:
    plain = "".join(char for char in code.upper() if char.isalnum())
    return keyed_digest("recovery", f"{account.pk}:{plain}")


def use_recovery_code(account: Account, code: str, now: datetime) -> bool:
    """Take a recovery code; each is good once."""
    found = RecoveryCode.objects.filter(account=account, digest=_digest(account, code), used_at=None)
    return found.update(used_at=now) == 1


def recovery_codes_left(account: Account) -> int:
    """Return how many recovery codes are still good."""
    return RecoveryCode.objects.filter(account=account, used_at=None).count()
