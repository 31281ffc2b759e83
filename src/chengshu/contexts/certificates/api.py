"""Registers, certificates, documents and their verification: the only module that others may import.

``wire_effects`` registers the effects that packs name; ``verify`` judges what a person brings; ``trust_json`` is what an
offline verifier needs; the rest reads.
"""

from __future__ import annotations

import datetime as dt

from chengshu.contexts.certificates import issuing, producing, registers, status, verification
from chengshu.contexts.certificates.domain import Verdict
from chengshu.contexts.certificates.status import status_credential, trust_json, trust_list
from chengshu.contexts.certificates.trust import TrustList, merge, read_trust
from chengshu.procedure.ports import EffectSpec, declare_effect, register_effect
from chengshu.procedure.types import Type

__all__ = [
    "TrustList",
    "Verdict",
    "merge",
    "read_trust",
    "status_credential",
    "trust_json",
    "trust_list",
    "verify",
    "wire_effects",
]

HANDLERS = {
    "reserve_key": registers.reserve_key,
    "register_entry": registers.register_entry,
    "update_entry": registers.update_entry,
    "close_entry": registers.close_entry,
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


def verify(content: bytes, now: dt.datetime, trusted: TrustList | None = None) -> Verdict:
    """Verify a PDF, a credential or a QR text against this installation's own issuers, or those given."""
    return verification.verify(content, trusted or status.trust_list(now), now)
