"""What cases have brought: certificates and sealed documents of several cases at once, for the applicant's result package."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from chengshu.contexts.certificates import domain, store
from chengshu.contexts.certificates.models import Certificate, Document, Issue

CERTIFICATE, DOCUMENT = "certificate", "document"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A certificate or document of a case. ``digest`` is empty while the job has not made its file."""

    kind: str
    case_id: str
    title: dict[str, str]
    number: str
    at: dt.datetime
    made: bool
    digest: str
    state: dict[str, str]
    # Its verifiable credential, of certificates.
    credential: str = ""
    id: int = 0


def results_of(case_ids: Collection[str], on: dt.date) -> list[CaseResult]:
    """Return what these cases have issued, oldest first; three queries. The caller holds who may see it."""
    rows = list(Certificate.objects.filter(case_id__in=case_ids).order_by("issued_at", "pk"))
    issues = {
        (each.certificate_id, each.version): each
        for each in Issue.objects.filter(certificate__in=[row.pk for row in rows])
    }
    found = []
    for row in rows:
        issue = issues.get((row.pk, row.version))
        made = issue is not None and issue.made_at is not None
        state = domain.effective_state(row.state, row.valid_from, row.valid_to, on)
        found.append(
            CaseResult(
                CERTIFICATE, row.case_id, {"zh": row.title_zh, "en": row.title_en}, row.number, row.issued_at, made,
                issue.pdf_digest if issue is not None and made else "", domain.WORDS_OF_STATE[state],
                issue.credential if issue is not None and made else "", row.pk,
            )
        )  # fmt: skip
    for item in Document.objects.filter(case_id__in=case_ids).order_by("asked_at", "pk"):
        made = item.made_at is not None
        title = {"zh": item.title_zh, "en": item.title_en or item.title_zh}
        words = {"zh": "已盖章", "en": "sealed"} if made else {"zh": "制作中", "en": "being made"}
        found.append(
            CaseResult(
                DOCUMENT,
                item.case_id,
                title,
                item.number,
                item.asked_at,
                made,
                item.pdf_digest,
                words,
                "",
                item.pk,
            )
        )
    return sorted(found, key=lambda each: each.at)


def result_file(result: CaseResult) -> bytes:
    """Return the sealed PDF of a result."""
    return store.read(result.digest)
