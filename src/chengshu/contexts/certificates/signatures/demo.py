"""The demo's signature authorities of Hong Kong and Macao: generated, marked so, with papers that somebody has signed by them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings

from chengshu.contexts.certificates.signatures import domain, generated, keeping
from chengshu.contexts.certificates.signatures.models import SignatureAuthority

GROUND_HK = "《电子签名法》第二十六条；《粤港两地电子签名证书互认办法》（粤府〔2012〕82号）二（演示）"
GROUND_MO = "《电子签名法》第二十六条；《粤澳两地电子签名证书互认的框架性意见》（2013年）（演示）"
BY = "demo"


def seed_signature_authorities(now: dt.datetime) -> list[Path]:
    """Put two generated authorities on the list and write papers signed by them; returns the papers. Once."""
    if SignatureAuthority.objects.filter(demo=True).exists():
        return []
    since = now - dt.timedelta(days=300)
    hong_kong = generated.GeneratedAuthority("Demo Hong Kong CA (generated)", "HK", since)
    macao = generated.GeneratedAuthority("Demo Macao CA (generated)", "MO", since)
    _recognise(
        hong_kong,
        "demo-hk",
        "演示香港认证机构（生成）",
        "HK",
        generated.GUANGDONG_HONG_KONG,
        GROUND_HK,
        since,
        now,
    )
    _recognise(
        macao, "demo-mo", "演示澳门认证机构（生成）", "MO", generated.SAMPLE_MACAO, GROUND_MO, since, now
    )
    person = hong_kong.signer(
        "CHAN TAI MAN", [generated.GUANGDONG_HONG_KONG + ".2018.1.1", generated.SAMPLE_PERSON]
    )
    gone = hong_kong.signer(
        "WONG SIU MING", [generated.GUANGDONG_HONG_KONG + ".2018.1.1", generated.SAMPLE_PERSON]
    )
    firm = macao.signer(
        "LEI KA WAI", [generated.SAMPLE_MACAO, generated.SAMPLE_FIRM], organisation="演示澳门贸易有限公司"
    )
    for authority, revoked in ((hong_kong, [(gone, now - dt.timedelta(days=30))]), (macao, [])):
        content = authority.revocation_list(
            now - dt.timedelta(hours=1), now + dt.timedelta(days=365), revoked
        )
        keeping.load_revocations(content, by=BY, now=now)
    folder = Path(settings.VAR_DIR) / "demo-signatures"
    folder.mkdir(parents=True, exist_ok=True)
    at = now - dt.timedelta(hours=2)
    paper = generated.plain_pdf(
        "Generated for the demonstration: consent to register data intellectual property"
    )
    papers = {
        "hong-kong-person.pdf": generated.sign_pdf(paper, person, at),
        "macao-firm.pdf": generated.sign_pdf(paper, firm, at),
        "hong-kong-revoked.pdf": generated.sign_pdf(paper, gone, at),
    }
    for name, content in papers.items():
        (folder / name).write_bytes(content)
    return sorted(folder / name for name in papers)


def _recognise(
    made: generated.GeneratedAuthority, code: str, name: str, jurisdiction: str, policy: str, ground: str,
    since: dt.datetime, now: dt.datetime,
) -> None:  # fmt: skip
    marks = (
        domain.Mark(domain.PERSON, generated.SAMPLE_PERSON),
        domain.Mark(domain.ORGANISATION, generated.SAMPLE_FIRM),
    )
    said = domain.Authority(
        code, {"zh": name, "en": made.name}, jurisdiction, made.certificates, policy, marks, since.date(), None, ground, demo=True
    )  # fmt: skip
    keeping.recognise(said, fingerprint=keeping.fingerprint_of(made.certificates[0]), by=BY, now=now)
