"""Signed PDFs that come with a case: judged by a job, kept by digest, judged anew when the list changes, told beside the file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import structlog

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates.signatures import checking, domain, keeping
from chengshu.contexts.certificates.signatures.models import SignedFile
from chengshu.contexts.identity.api import Account

log = structlog.get_logger("chengshu.signatures")
WORK = "signatures"
TONES = {domain.RECOGNISED: "good", domain.DOUBTFUL: "warn", domain.REFUSED: "bad"}
MARK = b"/ByteRange"


def note_paper(paper: cases.PaperIn, now: dt.datetime) -> None:
    """Put a PDF that may be signed into the outbox; pictures bear no signature."""
    if paper.media_type == "application/pdf":
        said = {"digest": paper.digest, "received_at": now.isoformat()}
        cases.enqueue_work(
            WORK, paper.case_id, said, f"{WORK}:{paper.case_id}:{paper.seq}:{paper.digest}", now
        )


def judge(case_id: str, said: Mapping[str, Any], _key: str, now: dt.datetime) -> None:
    """Judge a file and keep what was found; one that bears no signature leaves nothing."""
    path = cases.files.path_of(str(said["digest"]))
    if not path.exists():
        return
    content = path.read_bytes()
    if MARK not in content:
        return
    known = SignedFile.objects.filter(digest=said["digest"]).first()
    # Who has the same file in two cases: the earlier time shows more.
    received = dt.datetime.fromisoformat(str(said["received_at"]))
    received = min(received, known.received_at) if known else received
    found = found_in(content, keeping.believed(), now, received)
    if found:
        SignedFile.objects.update_or_create(
            digest=said["digest"],
            defaults={
                "case_id": known.case_id if known else case_id, "received_at": received, "judged_at": now,
                "findings": json.dumps([asdict(each) for each in found], ensure_ascii=False),
            },
        )  # fmt: skip


def found_in(
    content: bytes, believed: domain.Believed, now: dt.datetime, received: dt.datetime
) -> list[domain.SignatureFound]:
    """Return what the signatures of a file are worth; a file that breaks the reader is refused, whatever it does."""
    try:
        return checking.check_pdf(content, believed, now, received)
    except Exception as error:
        # A fault of ours would look the same: the log tells them apart.
        log.warning("signatures-unread", exc_info=True)
        name = type(error).__name__
        return [
            domain.SignatureFound().refuse("无法读取文件里的签名", f"The signatures cannot be read: {name}")
        ]


def judge_again(now: dt.datetime) -> int:
    """Put every signed file into the outbox: the list has changed. Returns how many."""
    rows = SignedFile.objects.values_list("digest", "case_id", "received_at")
    for digest, case_id, received in rows:
        key = f"{WORK}:{digest}:{now.isoformat()}"
        cases.enqueue_work(WORK, case_id, {"digest": digest, "received_at": received.isoformat()}, key, now)
    return len(rows)


def file_notes(
    digests: Collection[str], _viewer: Account, _now: dt.datetime
) -> dict[str, list[cases.CasePanelLine]]:
    """Return, for files of a case, a line for each signature; whoever may open the file may read it."""
    rows = SignedFile.objects.filter(digest__in=digests)
    return {row.digest: [_line(each) for each in json.loads(row.findings)] for row in rows}


def _line(found: Mapping[str, Any]) -> cases.CasePanelLine:
    return cases.CasePanelLine(
        domain.sentence(found), state=domain.OUTCOMES[found["outcome"]], tone=TONES[found["outcome"]]
    )


def forget(case_id: str, _now: dt.datetime) -> int:
    """Erase what was kept of the signatures of a case whose personal values are erased."""
    return SignedFile.objects.filter(case_id=case_id).delete()[0]
