"""What a number alone tells anyone about a certificate."""

from __future__ import annotations

import datetime as dt

from chengshu.contexts.certificates import domain, keys, queries
from chengshu.contexts.certificates.models import Certificate
from chengshu.kernel.terms import legal_day


def by_number(row: Certificate, now: dt.datetime) -> domain.Verdict:
    """Return what a number says to anyone: how it stands; the holder masked, no claims."""
    on = legal_day(now)
    line = queries.line_of(row, on, masked=True)
    issuer = row.department or keys.DISTRICT
    verdict = domain.Verdict(
        "number", True, line.state == "active", line.state, issuer, keys.issuer_name(issuer), row.type, row.title_zh,
        row.number, line.holder, row.valid_from.isoformat(), row.valid_to.isoformat() if row.valid_to else "",
    )  # fmt: skip
    if line.state != "active":
        verdict.reasons.append(domain.WORDS_OF_STATE[line.state])
    verdict.note(
        "按编号查得的是登记状态；手里的文件是否真实，请上传文件核验",
        "A number tells how it stands; upload the file to learn whether it is genuine",
    )
    return verdict
