"""PAdES: the seal is the signature's own appearance, the credential travels inside the file. Pure: bytes in, bytes out."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils import embed
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from chengshu.contexts.certificates import domain

FIELD = "Seal"
# Hexadecimal digits kept free for the signature and its chain (about 2,500 bytes); without it everything is signed twice to see.
RESERVED = 12_288
# Bytes of a signature beside its certificates, rounded up well.
BESIDES = 2_048
SIDE = 42 / 25.4 * 72
PAGE_HEIGHT = 297 / 25.4 * 72


class _SignerAt(signers.PdfSigner):
    """Signs at a given instant: time enters as a parameter here as everywhere."""

    at: dt.datetime

    def init_signing_session(self, *args: Any, **kwargs: Any) -> Any:
        """Return pyHanko's session with our instant in it."""
        session = super().init_signing_session(*args, **kwargs)
        session.system_time = self.at
        return session


def seal_pdf(
    pdf: bytes,
    key: ec.EllipticCurvePrivateKey,
    chain: Sequence[x509.Certificate],
    *,
    reason: str,
    place: tuple[int, float, float] | None,
    appearance: bytes | None,
    credential: str = "",
    now: dt.datetime,
) -> bytes:
    """Return the PDF signed by ``key``. ``place``: page and left upper corner of the visible seal in points."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    if credential:
        content = embed.EmbeddedFileObject.from_file_data(
            writer, data=credential.encode("ascii"), mime_type="application/vc+jwt", compress=True
        )
        embed.embed_file(
            writer,
            embed.FileSpec(
                file_spec_string=domain.ATTACHMENT,
                file_name=domain.ATTACHMENT,
                embedded_data=content,
                description="W3C Verifiable Credential",
            ),
        )
    with tempfile.TemporaryDirectory() as folder:
        style = _style(appearance, Path(folder)) if place and appearance else None
        if place and style:
            page, x, y = place
            box = (round(x), round(PAGE_HEIGHT - y - SIDE), round(x + SIDE), round(PAGE_HEIGHT - y))
            append_signature_field(writer, SigFieldSpec(FIELD, on_page=page - 1, box=box))
        else:
            append_signature_field(writer, SigFieldSpec(FIELD))
        signer = _SignerAt(
            signers.PdfSignatureMetadata(
                field_name=FIELD,
                subfilter=SigSeedSubFilter.PADES,
                md_algorithm="sha256",
                reason=reason,
                name=chain[0].subject.rfc4514_string()[:200],
            ),
            signer=_signer(key, chain),
            stamp_style=style,
        )
        signer.at = now
        out = io.BytesIO()
        signer.sign_pdf(writer, output=out, bytes_reserved=_reserved(chain))
    return out.getvalue()


def pdf_signer_at(
    metadata: signers.PdfSignatureMetadata,
    key: ec.EllipticCurvePrivateKey,
    chain: Sequence[x509.Certificate],
    at: dt.datetime,
) -> signers.PdfSigner:
    """Return pyHanko's signer with a key and its certificates, which signs at a given instant."""
    made = _SignerAt(metadata, signer=_signer(key, chain))
    made.at = at
    return made


def _reserved(chain: Sequence[x509.Certificate]) -> int:
    """Return the digits to keep free; an authority with a longer chain than ours gets more."""
    length = sum(len(each.public_bytes(serialization.Encoding.DER)) for each in chain)
    return max(RESERVED, 2 * (length + BESIDES))


def _style(appearance: bytes, folder: Path) -> StaticStampStyle:
    path = folder / "seal.pdf"
    path.write_bytes(appearance)
    style: StaticStampStyle = StaticStampStyle.from_pdf_file(str(path), border_width=0, background_opacity=1)
    return style


def _signer(key: ec.EllipticCurvePrivateKey, chain: Sequence[x509.Certificate]) -> signers.SimpleSigner:
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    loaded = [asn1_x509.Certificate.load(each.public_bytes(serialization.Encoding.DER)) for each in chain]
    return signers.SimpleSigner(
        signing_cert=loaded[0],
        signing_key=asn1_keys.PrivateKeyInfo.load(der),
        cert_registry=SimpleCertificateStore.from_certs(loaded[1:]),
    )
