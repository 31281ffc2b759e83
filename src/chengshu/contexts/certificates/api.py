"""Registers, certificates, documents and their verification: the only module that others may import.

``wire_effects`` registers the effects that packs name; ``verify`` judges what a person brings; ``trust_json`` is what an
offline verifier needs; the rest reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import (
    credentials,
    issuing,
    keys,
    producing,
    queries,
    recognising,
    status,
    verification,
)
from chengshu.contexts.certificates import offers as wallet
from chengshu.contexts.certificates import registers as registering
from chengshu.contexts.certificates.domain import Verdict
from chengshu.contexts.certificates.keys import code_signer, code_signers
from chengshu.contexts.certificates.lookup import by_number
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.certificates.panels import case_panel
from chengshu.contexts.certificates.queries import (
    CertificateLine,
    certificates_of,
    entries,
    entry,
    entry_state,
    line_of,
    register,
    registers,
    subject_merged,
)
from chengshu.contexts.certificates.results import CaseResult, result_file, results_of
from chengshu.contexts.certificates.signatures import attached as signed_files
from chengshu.contexts.certificates.signatures import keeping as signature_authorities
from chengshu.contexts.certificates.signatures.attached import judge_again as judge_signed_files
from chengshu.contexts.certificates.signatures.demo import seed_signature_authorities
from chengshu.contexts.certificates.sources import (
    Drawn,
    Pick,
    certificate_field,
    choices_in,
    draw_many,
    holders_in_force,
    keys_held,
    label_in,
    line_in,
    pick_of,
)
from chengshu.contexts.certificates.status import signed_trust, status_credential, trust_json, trust_list
from chengshu.contexts.certificates.trust import TrustList, merge, read_trust
from chengshu.kernel.spreadsheet import csv_lines
from chengshu.procedure.ports import EffectSpec, declare_effect, register_effect
from chengshu.procedure.types import Type

__all__ = [
    "CaseResult",
    "CertificateLine",
    "Drawn",
    "Pick",
    "TrustList",
    "Verdict",
    "case_panel",
    "certificate_field",
    "certificates_of",
    "choices_in",
    "code_signer",
    "code_signers",
    "condemn_key",
    "credential_of",
    "draw_many",
    "entries",
    "entry",
    "entry_state",
    "holders_in_force",
    "issued_certificates",
    "judge_signed_files",
    "keys_held",
    "label_in",
    "line_in",
    "line_of",
    "merge",
    "pick_of",
    "read_trust",
    "recognising",
    "register",
    "register_csv",
    "registers",
    "result_file",
    "results_of",
    "rotate_key",
    "seed_signature_authorities",
    "sign_statement",
    "signature_authorities",
    "signed_trust",
    "status_credential",
    "subject_merged",
    "trust_json",
    "trust_list",
    "verify",
    "verify_detached",
    "verify_text",
    "wallet",
    "wire_effects",
]

HANDLERS = {
    "reserve_key": registering.reserve_key,
    "keep_key": registering.keep_key,
    "release_key": registering.release_key,
    "register_entry": registering.register_entry,
    "update_entry": registering.update_entry,
    "close_entry": registering.close_entry,
    "issue_certificate": issuing.issue_certificate,
    "renew_certificate": issuing.renew_certificate,
    "change_certificate": issuing.change_certificate,
    "suspend_certificate": issuing.suspend_certificate,
    "resume_certificate": issuing.resume_certificate,
    "revoke_certificate": issuing.revoke_certificate,
    "deposit_evidence": issuing.deposit_evidence,
    "render_document": producing.render_document,
}


def wire_effects() -> None:
    """Register what this context answers; called once by site/wiring.py."""
    for name, handler in HANDLERS.items():
        register_effect(name, handler)
    # Our own errand in the outbox: makes what an issue of a certificate consists of.
    declare_effect(
        EffectSpec(issuing.PRODUCE, {"number": Type("text"), "version": Type("integer")}, inside=False)
    )
    register_effect(issuing.PRODUCE, producing.produce_certificate)
    # Papers that persons and firms have signed are looked at when they come in.
    cases.register_work(signed_files.WORK, signed_files.judge)
    cases.register_on_papers("signatures", signed_files.note_papers)
    cases.register_on_erase("signatures", signed_files.forget)
    cases.register_file_notes("signatures", signed_files.file_notes)


def verify(
    content: bytes,
    now: dt.datetime,
    trusted: TrustList | None = None,
    expected: verification.Expected | None = None,
) -> Verdict:
    """Verify a PDF, a credential or a QR text against this installation's issuers and those that it recognises."""
    return verification.verify(content, trusted or status.trust_list(now, signers=True), now, expected)


def sign_statement(said: Mapping[str, Any], typ: str, now: dt.datetime) -> str:
    """Return a statement of the district, signed by its key for credentials: whoever has the trust list verifies it."""
    key = keys.signing_key(keys.DISTRICT, keys.CREDENTIAL, now)
    return credentials.sign({**said, "iss": keys.issuer_id(keys.DISTRICT)}, key.jwk, typ, now)


def verify_detached(
    content: bytes, signature: bytes, now: dt.datetime, trusted: TrustList | None = None
) -> Verdict:
    """Verify a file of any kind by the signature that lies beside it (CMS)."""
    believed = trusted or status.trust_list(now, signers=True)
    return verification.verify_detached(content, signature, believed, now)


def verify_text(text: str, now: dt.datetime) -> Verdict:
    """Verify a credential or a QR text; a number tells how it stands, the holder masked and no claims."""
    text = text.strip()
    row = queries.certificate(text.upper()) if "." not in text else None
    if row is None:
        return verification.verify(text.encode(), status.trust_list(now), now)
    return by_number(row, now)


def credential_of(row: Certificate) -> str:
    """Return the credential of a certificate's newest issue; empty until the job has made it."""
    found = row.issues.filter(version=row.version).values_list("credential", flat=True).first()
    return str(found or "")


def rotate_key(issuer: str, use: str, now: dt.datetime, *, compromised_at: dt.datetime | None = None) -> str:
    """Replace an issuer's key (``seal`` or ``credential``); returns the new key's id."""
    return str(keys.rotate(issuer, use, now, compromised_at=compromised_at).row.kid)


def condemn_key(kid: str, at: dt.datetime, now: dt.datetime) -> None:
    """Note that a key, in use or replaced already, was in wrong hands from an instant on."""
    keys.condemn(kid, at, now)


def issued_certificates() -> QuerySet[Certificate]:
    """Return every certificate, newest first; for the command line and the checks of operators."""
    return Certificate.objects.order_by("-issued_at", "-pk")


def register_csv(code: str, on: dt.date) -> Iterator[str]:
    """Yield a register as lines of CSV: what its pages show."""
    return csv_lines(queries.open_rows(code, on))
