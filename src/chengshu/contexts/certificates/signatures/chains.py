"""Certificates as the list of recognised authorities judges them: issued by whom on it, of which class, revoked or not. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from chengshu.contexts.certificates.signatures.domain import Authority, Believed, Mark

SUBJECT_PARTS = {"O=": NameOID.ORGANIZATION_NAME, "OU=": NameOID.ORGANIZATIONAL_UNIT_NAME}
_SIGNING_KEYS = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


def load(authority: Authority) -> list[x509.Certificate]:
    """Return an authority's certificates."""
    return [x509.load_pem_x509_certificate(each.encode("ascii")) for each in authority.certificates]


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether one certificate has signed another."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        # An authority may have a certificate of SM2 beside others: what is not read here has signed nothing.
        return False
    return True


def issuer_of(certificate: x509.Certificate, believed: Believed) -> tuple[Authority, x509.Certificate] | None:
    """Return the authority on the list whose own certificate has signed this one; what the file brings along is not asked."""
    for authority in believed.authorities:
        for each in load(authority):
            if each.subject == certificate.issuer and issued_by(certificate, each):
                return authority, each
    return None


def line_up(issuer: x509.Certificate, held: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return an issuer and the certificates above it that are on the list, up to a root or to where the list ends."""
    line = [issuer]
    while line[-1].subject != line[-1].issuer:
        above = next((each for each in held if each not in line and issued_by(line[-1], each)), None)
        if above is None:
            break
        line.append(above)
    return line


def policies_of(certificate: x509.Certificate) -> list[str]:
    """Return the numbers of the policies that a certificate was issued under."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return []
    return [each.policy_identifier.dotted_string for each in found]


def under(number: str, policies: Iterable[str]) -> bool:
    """Return whether a policy is among these, in whatever version: the last nodes of a number are year, version, release."""
    return any(each == number or each.startswith(f"{number}.") for each in policies)


def class_of(certificate: x509.Certificate, marks: Iterable[Mark]) -> str:
    """Return whether a certificate is a person's or an organisation's, by the marks of its authority; empty for neither."""
    policies = policies_of(certificate)
    for mark in marks:
        kind = next((each for each in SUBJECT_PARTS if mark.said.startswith(each)), "")
        if kind:
            values = [each.value for each in certificate.subject.get_attributes_for_oid(SUBJECT_PARTS[kind])]
            if mark.said.removeprefix(kind) in values:
                return mark.holder
        elif under(mark.said, policies):
            return mark.holder
    return ""


def name_in(certificate: x509.Certificate, part: x509.ObjectIdentifier) -> str:
    """Return one part of a certificate's subject."""
    found = certificate.subject.get_attributes_for_oid(part)
    return str(found[0].value) if found else ""


def is_sm2(certificate: x509.Certificate) -> bool:
    """Return whether a certificate is signed by SM2, which the reader of PDF signatures does not know."""
    return certificate.signature_algorithm_oid.dotted_string.startswith("1.2.156.10197.")


class Revocations:
    """What the revocation lists of one issuer say of a certificate."""

    def __init__(self, issuer: x509.Certificate, lists: Iterable[bytes]) -> None:
        found = (x509.load_der_x509_crl(each) for each in lists)
        try:
            key = issuer.public_key()
        except UnsupportedAlgorithm as error:
            raise ValueError("a key that is not read here") from error
        if not isinstance(key, _SIGNING_KEYS):
            raise ValueError("a key that signs no lists")
        self.lists = sorted(
            (each for each in found if each.issuer == issuer.subject and each.is_signature_valid(key)),
            key=lambda each: each.last_update_utc,
        )

    def covering(self, certificate: x509.Certificate) -> list[x509.CertificateRevocationList]:
        """Return the lists that speak of a certificate, oldest first: one for a part of them only speaks of those."""
        return [each for each in self.lists if covers(each, certificate)]

    def revoked_at(self, certificate: x509.Certificate) -> dt.datetime | None:
        """Return since when a certificate is revoked or held; what was held and is no longer on the newest list is free again."""
        lists = self.covering(certificate)
        for place, each in enumerate(lists):
            entry = each.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is None:
                continue
            if _reason(entry) == x509.ReasonFlags.remove_from_crl:
                continue
            if _reason(entry) != x509.ReasonFlags.certificate_hold or place == len(lists) - 1:
                return entry.revocation_date_utc
        return None


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


def covers(found: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Return whether a list speaks of a certificate: one that is partitioned does so at its distribution point only."""
    only, points = scope_of(found)
    if only not in ("", kind_of(certificate)):
        return False
    return not points or bool(points & points_of(certificate))


# Of which certificates a list may speak only.
OF_AUTHORITIES, OF_OTHERS, OF_ATTRIBUTES = "ca", "user", "attribute"


def scope_of(found: x509.CertificateRevocationList) -> tuple[str, frozenset[str]]:
    """Return of which kind of certificates alone a list speaks, and at which distribution points; empty: of all, at all."""
    try:
        point = found.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return "", frozenset()
    only = (
        OF_AUTHORITIES
        if point.only_contains_ca_certs
        else OF_OTHERS
        if point.only_contains_user_certs
        else ""
    )
    only = OF_ATTRIBUTES if point.only_contains_attribute_certs else only
    return only, frozenset(_address(each) for each in point.full_name or ())


def points_of(certificate: x509.Certificate) -> frozenset[str]:
    """Return where the lists that speak of a certificate are published."""
    try:
        said = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(_address(name) for each in said for name in each.full_name or ())


def kind_of(certificate: x509.Certificate) -> str:
    """Return whether a certificate is an authority's or another's, as lists tell them apart."""
    return OF_AUTHORITIES if is_authority(certificate) else OF_OTHERS


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether a certificate may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _address(name: x509.GeneralName) -> str:
    value = name.value
    return value.rfc4514_string() if isinstance(value, x509.Name) else str(value)


def digest_of_name(name: x509.Name) -> str:
    """Return a digest of a name as it reads, however it was encoded."""
    return hashlib.sha256(name.rfc4514_string().encode()).hexdigest()


def digest_of_issuer(certificate: x509.Certificate) -> str:
    """Return a digest of an issuer's name and key; empty for a key that is not read here: it has signed no list."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return ""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(certificate.subject.rfc4514_string().encode() + b"\0" + spki).hexdigest()


def issuer_of_list(certificates: Iterable[x509.Certificate], der: bytes) -> x509.Certificate | None:
    """Return which of these certificates has signed a revocation list; ``None`` for none."""
    for each in certificates:
        try:
            if Revocations(each, [der]).lists:
                return each
        except ValueError:
            # A key that signs no lists, or is not read here.
            continue
    return None
