"""X.509 certificates of the district's own authority and of each issuer's seal. Pure: keys in, certificates out."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

AUTHORITY_YEARS, SEAL_YEARS = 20, 3
# RFC 9336: what it signs are documents.
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
# Clocks differ: a certificate is valid from a little before it was made.
SLACK = dt.timedelta(minutes=10)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def to_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as unencrypted PKCS #8: the file's mode guards it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def from_pem(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Read a private key; raises ``ValueError`` when it is no P-256 key."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
    return key


def authority_certificate(
    key: ec.EllipticCurvePrivateKey, district: str, now: dt.datetime
) -> x509.Certificate:
    """Return the self-signed certificate of a district's authority."""
    name = _name(district, f"{district} 电子印章根证书")
    builder = certificate_builder(key, name, name, _term(now, AUTHORITY_YEARS), path_length=0)
    return builder.sign(key, hashes.SHA256())


def seal_certificate(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    district: str,
    issuer: str,
    now: dt.datetime,
) -> x509.Certificate:
    """Return the certificate of an issuer's electronic seal, signed by the district's authority."""
    builder = certificate_builder(key, _name(district, issuer), authority.subject, _term(now, SEAL_YEARS))
    builder = builder.add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
    )
    return builder.sign(authority_key, hashes.SHA256())


def certificate_pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _term(now: dt.datetime, years: int) -> tuple[dt.datetime, dt.datetime]:
    return now - SLACK, now + dt.timedelta(days=365 * years)


def certificate_builder(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    term: tuple[dt.datetime, dt.datetime],
    *,
    path_length: int | None = None,
) -> x509.CertificateBuilder:
    """Return what every certificate says that is made here; with a ``path_length`` it may sign others."""
    signs_certificates = path_length is not None
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(term[0])
        .not_valid_after(term[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=signs_certificates, path_length=path_length), critical=True)
        .add_extension(_usage(signs_certificates=signs_certificates), critical=True)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
