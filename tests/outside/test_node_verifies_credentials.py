"""The npm library @sd-jwt/sd-jwt-vc verifies what we issue: signature, disclosures, holder's key, status."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from joserfc.jwk import ECKey

from chengshu.contexts.certificates import credential_types, selective, token_status
from chengshu.contexts.certificates.credentials import Content

NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
ISSUER, HOLDER = ECKey.generate_key("P-256", {"kid": "i"}), ECKey.generate_key("P-256")
LIST = "https://hub.example/status/1"
CONTENT = Content(
    "https://hub.example/certificates/TRAINI-2026-000001/1", "TrainingCertificate", {"zh": "培训合格证书"},
    "https://hub.example/issuers/market", {"zh": "市场监管局"}, "TRAINI-2026-000001", 1, "张晓明", "P000000025", "",
    dt.date(2026, 11, 23), dt.date(2029, 11, 22), {"name": "张晓明", "birth_date": "2008-01-05"}, LIST, 77, False,
)  # fmt: skip


@pytest.fixture(scope="module")
def issued() -> str:
    always, apart = credential_types.spoken(
        CONTENT, "training", "https://hub.example/credential-types/training", f"{LIST}/token", NOW.date()
    )
    always["iat"] = int(NOW.timestamp())
    return selective.issue(always, apart, ISSUER, holder=HOLDER.as_dict(private=False))


def asked(text, *, marked=(), issuer=ISSUER, **options):
    token = token_status.status_token(f"{LIST}/token", marked, CONTENT.issuer, ISSUER, NOW, 131_072)
    jwk = {
        name: value
        for name, value in issuer.as_dict(private=False).items()
        if name in ("kty", "crv", "x", "y")
    }
    return {
        "text": text, "issuer": jwk, "statuses": {f"{LIST}/token": token}, "now": int(NOW.timestamp()), "options": options,
    }  # fmt: skip


def presented(issued, names):
    return selective.present(issued, names, HOLDER, audience="https://bar.example", nonce="n-1", now=NOW)


def test_node_sees_over_eighteen_and_no_birth_date(issued, node):
    found = node("sd_jwt_vc.mjs", asked(presented(issued, ["age_over_18"]), keyBindingNonce="n-1"))
    assert found["payload"]["age_over_18"] is True and "birth_date" not in found["payload"]
    assert found["kb"]["aud"] == "https://bar.example"
    assert "张晓明" not in json.dumps(found, ensure_ascii=False)


def test_node_refuses_what_was_revoked_suspended_or_signed_by_another(issued, node):
    text = presented(issued, ["age_over_18"])
    assert "refused" in node("sd_jwt_vc.mjs", asked(text, marked=[(77, token_status.INVALID)]))
    assert "refused" in node("sd_jwt_vc.mjs", asked(text, marked=[(77, token_status.SUSPENDED)]))
    assert "refused" in node("sd_jwt_vc.mjs", asked(text, issuer=ECKey.generate_key("P-256")))
    assert "refused" in node("sd_jwt_vc.mjs", asked(text, keyBindingNonce="another"))
