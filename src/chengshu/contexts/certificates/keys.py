"""The issuers' signing keys: made when first needed, kept in ``var/keys``, changed by hand; public sides stay for ever.

One authority for the district signs the seals' X.509 certificates; each department has a key for its seal (PDF) and two for
its credentials, one a suite; the district has one for citizen codes. Private keys never enter the database.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import IntegrityError, transaction
from joserfc.jwk import ECKey

from chengshu.contexts.certificates import authority, suites
from chengshu.contexts.certificates.models import IssuerKey
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem, Where

AUTHORITY, SEAL, CREDENTIAL = IssuerKey.Use.AUTHORITY, IssuerKey.Use.SEAL, IssuerKey.Use.CREDENTIAL
SM2, CODE = IssuerKey.Use.SM2, IssuerKey.Use.CODE
DISTRICT = "district"
CREDENTIAL_YEARS = 3
KID = 16
# A key is replaced while its certificate still has this long to run.
RENEW_BEFORE = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key in use, with its public row and, for seals, the chain up to the authority."""

    row: IssuerKey
    secret: ec.EllipticCurvePrivateKey | suites.Sm2Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """Return the P-256 key that seals and codes are signed with."""
        if isinstance(self.secret, suites.Sm2Key):
            raise TypeError("an SM2 key seals no PDF")
        return self.secret

    @property
    def jwk(self) -> suites.Key:
        """Return the key as credentials are signed with."""
        if isinstance(self.secret, suites.Sm2Key):
            return self.secret
        return _as_jwk(self.secret, self.row.kid)


def issuer_name(issuer: str) -> dict[str, str]:
    """Return what an issuer is called: its department, or the district itself."""
    if issuer == DISTRICT:
        return dict(settings.DISTRICT["name"])
    return identity.department_name(issuer)


def issuer_id(issuer: str) -> str:
    """Return the address that names an issuer in credentials."""
    return f"{settings.PUBLIC_URL}/issuers/{issuer}"


def signing_key(issuer: str, use: str, now: dt.datetime) -> SigningKey:
    """Return the key that an issuer signs with; made at first use, renewed before its certificate ends."""
    row = in_use(issuer, use)
    if row is not None and row.until - now > RENEW_BEFORE:
        return _load(row)
    return _make(issuer, use, now, old=row)


def rotate(
    issuer: str, use: str, now: dt.datetime, *, compromised_at: dt.datetime | None = None
) -> SigningKey:
    """Replace an issuer's key; with ``compromised_at`` what the old one signed after that instant counts no more."""
    row = in_use(issuer, use)
    if row is None:
        raise Problem("issuer-key-missing", "这个机构还没有密钥", detail=f"{issuer} {use}", status=404)
    return _make(issuer, use, now, old=row, compromised_at=compromised_at)


def condemn(kid: str, at: dt.datetime, now: dt.datetime) -> None:
    """Note that a key was in wrong hands from an instant on; one that is in use is replaced, one that was replaced stays so."""
    row = IssuerKey.objects.filter(kid=kid).first()
    if row is None:
        raise Problem("issuer-key-missing", "没有这把密钥", detail=kid, status=404)
    if row.retired_at is None:
        rotate(row.issuer, row.use, now, compromised_at=at)
        return
    with transaction.atomic():
        since = min(at, row.compromised_at or at)
        IssuerKey.objects.filter(pk=row.pk).update(compromised_at=since)
        said = {"kid": kid, "use": row.use, "compromised_at": since.astimezone(dt.UTC).isoformat()}
        ledger.deposit("issuer.key", f"issuer:{row.issuer}", said, now=now)


def in_use(issuer: str, use: str) -> IssuerKey | None:
    """Return the public row of the key in use."""
    return IssuerKey.objects.filter(issuer=issuer, use=use, retired_at=None).first()


def code_signer(now: dt.datetime) -> ec.EllipticCurvePrivateKey:
    """Return the key that the district signs citizen codes with."""
    return signing_key(DISTRICT, CODE, now).private


def code_signers(now: dt.datetime) -> list[dict[str, Any]]:
    """Return the public keys of citizen codes with their times, for devices."""
    signing_key(DISTRICT, CODE, now)
    return [
        {
            "kid": row.kid,
            "jwk": json.loads(row.jwk),
            "since": row.since.isoformat(),
            "until": min(row.until, row.retired_at or row.until).isoformat(),
            "compromised_at": row.compromised_at.isoformat() if row.compromised_at else None,
        }
        for row in IssuerKey.objects.filter(use=CODE, until__gt=now).order_by("since", "pk")
    ]


def retired_key(row: IssuerKey) -> SigningKey:
    """Return a key that is no longer in use: an authority's older one hands over to its follower, no more."""
    return _load(row)


def public_keys() -> list[IssuerKey]:
    """Return every public key, oldest first."""
    return list(IssuerKey.objects.order_by("since", "pk"))


def _make(
    issuer: str,
    use: str,
    now: dt.datetime,
    *,
    old: IssuerKey | None = None,
    compromised_at: dt.datetime | None = None,
) -> SigningKey:
    pem, jwk = _new_pair(use)
    # Short, for it stands in every QR code; the constraint refuses the one clash in 2**96.
    kid = suites.thumbprint_of(jwk)[:KID]
    certificate, until = _certify(pem, issuer, use, now)
    _write(kid, pem)
    row = IssuerKey(
        kid=kid,
        issuer=issuer,
        use=use,
        jwk=json.dumps({**jwk, "kid": kid}, sort_keys=True),
        certificate=certificate,
        since=now,
        until=until,
    )
    try:
        with transaction.atomic():
            if old is not None:
                IssuerKey.objects.filter(pk=old.pk).update(retired_at=now, compromised_at=compromised_at)
            row.save()
            said = {"kid": kid, "use": use, "replaces": old.kid if old is not None else ""}
            if compromised_at is not None:
                said["compromised_at"] = compromised_at.astimezone(dt.UTC).isoformat()
            ledger.deposit("issuer.key", f"issuer:{issuer}", said, now=now)
    except IntegrityError:
        # Another process made one at the same moment: that one stands.
        _path(kid).unlink(missing_ok=True)
        found = in_use(issuer, use)
        if found is None:
            raise
        return _load(found)
    return _load(row)


def _new_pair(use: str) -> tuple[bytes, dict[str, Any]]:
    """Return a new private key as PEM and its public JWK."""
    if use == SM2:
        made = suites.new_sm2_key()
        return suites.sm2_to_pem(made), made.as_dict()
    pem = authority.to_pem(authority.new_key())
    public: dict[str, Any] = ECKey.import_key(pem).as_dict(private=False)
    return pem, public


def _certify(pem: bytes, issuer: str, use: str, now: dt.datetime) -> tuple[str, dt.datetime]:
    district = settings.DISTRICT["name"]["zh"]
    if use == AUTHORITY:
        made = authority.authority_certificate(authority.from_pem(pem), district, now)
    elif use == SEAL:
        root = signing_key(DISTRICT, AUTHORITY, now)
        made = authority.seal_certificate(
            authority.from_pem(pem), root.chain[0], root.private, district, issuer_name(issuer)["zh"], now
        )
    else:
        return "", now + dt.timedelta(days=365 * CREDENTIAL_YEARS)
    return authority.certificate_pem(made), made.not_valid_after_utc


def _load(row: IssuerKey) -> SigningKey:
    path = _path(row.kid)
    try:
        mode, pem = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError as error:
        raise Problem(
            "issuer-key-gone",
            "签发密钥不在这里",
            where=Where(file=str(path)),
            remedy="从备份恢复 var/keys，或运行 chengshu certificate rotate-key",
            status=503,
        ) from error
    if mode & 0o077 and os.name == "posix":
        raise Problem(
            "issuer-key-open",
            "签发密钥可以被他人读取",
            where=Where(file=str(path)),
            remedy="chmod 600；如有他人读过，更换密钥",
            status=503,
        )
    chain: tuple[x509.Certificate, ...] = ()
    if row.certificate:
        chain = (x509.load_pem_x509_certificate(row.certificate.encode()),)
    if row.use == SEAL:
        roots = IssuerKey.objects.filter(issuer=DISTRICT, use=AUTHORITY).order_by("-since")
        loaded = [x509.load_pem_x509_certificate(root.certificate.encode()) for root in roots]
        # Authorities that followed each other have one name: the signature tells which of them made the seal's.
        chain += tuple(root for root in loaded if _issued_by(chain[0], root))[:1]
    return SigningKey(row, _secret(pem, row.kid, row.use == SM2), chain)


@lru_cache(maxsize=64)
def _secret(pem: bytes, kid: str, sm2: bool) -> ec.EllipticCurvePrivateKey | suites.Sm2Key:
    """Read a key's file; that its halves belong together costs as much as a signature, so it is seen once."""
    return suites.sm2_from_pem(pem, kid) if sm2 else authority.from_pem(pem)


@lru_cache(maxsize=64)
def _as_jwk(secret: ec.EllipticCurvePrivateKey, kid: str) -> ECKey:
    found: ECKey = ECKey.import_key(authority.to_pem(secret), {"kid": kid, "use": "sig"})
    return found


def _issued_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _write(kid: str, pem: bytes) -> None:
    path = _path(kid)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(pem)
        out.flush()
        os.fsync(out.fileno())


def _path(kid: str) -> Path:
    return Path(settings.VAR_DIR) / "keys" / f"issuer-{kid}.pem"
