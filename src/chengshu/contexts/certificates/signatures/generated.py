"""Certification authorities made up for the demonstration and for tests: real certificates of nobody. Pure."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from chengshu.contexts.certificates.authority import certificate_builder, certificate_pem, new_key

# 《粤港电子签名证书互认证书策略》 without the nodes of year, version and release: as Hong Kong's Digital Policy Office tells
# relying parties to compare it.
GUANGDONG_HONG_KONG = "2.16.344.8.2.2008.810.2"
# Samples: whichever numbers the real authorities and the Guangdong–Macao list name are the operator's to enter.
SAMPLE_MACAO = "2.25.30816174930162.1"
SAMPLE_PERSON, SAMPLE_FIRM = "2.25.30816174930162.8", "2.25.30816174930162.9"
YEAR = dt.timedelta(days=365)


@dataclass(slots=True)
class Signer:
    """A key with its certificate, and those above it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: Sequence[x509.Certificate] = ()


@dataclass(slots=True)
class GeneratedAuthority:
    """A root and the certificate below it that signs people's: both made here."""

    name: str
    country: str
    since: dt.datetime
    root: Signer = field(init=False)
    issuing: Signer = field(init=False)

    def __post_init__(self) -> None:
        self.root = _authority(f"{self.name} Root", self.country, self.since)
        self.issuing = _authority(f"{self.name} Signing", self.country, self.since, above=self.root)

    @property
    def certificates(self) -> tuple[str, str]:
        """Return both certificates as PEM texts, the root first."""
        return certificate_pem(self.root.certificate), certificate_pem(self.issuing.certificate)

    def signer(
        self,
        name: str,
        policies: Iterable[str],
        *,
        organisation: str = "",
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> Signer:
        """Return a person's or a firm's certificate with its key."""
        key, since = new_key(), since or self.since
        subject, term = _name(name, self.country, organisation), (since, until or since + 2 * YEAR)
        builder = certificate_builder(key, subject, self.issuing.certificate.subject, term)
        found = [x509.PolicyInformation(ObjectIdentifier(each), None) for each in policies]
        if found:
            builder = builder.add_extension(x509.CertificatePolicies(found), critical=False)
        made = builder.sign(self.issuing.key, hashes.SHA256())
        return Signer(key, made, (self.issuing.certificate, self.root.certificate))

    def revocation_list(
        self,
        at: dt.datetime,
        until: dt.datetime,
        revoked: Iterable[tuple[Signer, dt.datetime]] = (),
    ) -> bytes:
        """Return the issuing certificate's revocation list, in DER."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.issuing.certificate.subject)
            .last_update(at)
            .next_update(until)
        )
        for signer, since in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(signer.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(since).build())
        made = builder.sign(self.issuing.key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.DER)


def sign_pdf(pdf: bytes, signer: Signer, at: dt.datetime, *, name: str = "Signature1") -> bytes:
    """Return a PDF signed as a wallet or a signing service would (PAdES)."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter

    from chengshu.contexts.certificates.pdf_signing import pdf_signer_at

    out = io.BytesIO()
    metadata = signers.PdfSignatureMetadata(
        field_name=name, subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    made = pdf_signer_at(metadata, signer.key, [signer.certificate, *signer.chain], at)
    made.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out)
    return out.getvalue()


def plain_pdf(text: str) -> bytes:
    """Return a PDF of one page with a line of Latin text."""
    stream = f"BT /F1 14 Tf 72 720 Td ({text}) Tj ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _authority(name: str, country: str, since: dt.datetime, above: Signer | None = None) -> Signer:
    key, subject = new_key(), _name(name, country, "")
    issuer = above.certificate.subject if above else subject
    term = (since, since + 10 * YEAR)
    builder = certificate_builder(key, subject, issuer, term, path_length=0 if above else 1)
    return Signer(key, builder.sign(above.key if above else key, hashes.SHA256()))


def _name(common: str, country: str, organisation: str) -> x509.Name:
    parts = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, country),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ]
    if organisation:
        parts.insert(1, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)
