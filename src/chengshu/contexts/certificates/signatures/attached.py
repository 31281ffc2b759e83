"""Signed PDFs that come with a case: judged by a job, kept by digest, judged anew when the list changes, told beside the file."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import uuid4

import structlog
from cryptography import x509
from django.db import transaction
from django.db.models import Min, QuerySet

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates.signatures import chains, checking, domain, keeping
from chengshu.contexts.certificates.signatures.models import (
    HeldRevocationList,
    SignatureAuthority,
    SignedFile,
    SignedFileCase,
    SignedFileSigner,
)
from chengshu.contexts.identity.api import Account

log = structlog.get_logger("chengshu.signatures")
WORK = "signatures"
TONES = {domain.RECOGNISED: "good", domain.DOUBTFUL: "warn", domain.REFUSED: "bad"}
MARK = b"/ByteRange"
A_BATCH = 500
# A signature and the certificate that it was made by; none where the file cannot be read.
Finding = tuple[domain.SignatureFound, x509.Certificate | None]


def note_papers(papers: Sequence[cases.PaperIn], now: dt.datetime) -> None:
    """Put the PDFs of a step, which may be signed, into the outbox, all at once; pictures bear no signature."""
    said = {"received_at": now.isoformat()}
    work = [
        (each.case_id, {**said, "digest": each.digest}, f"{WORK}:{each.case_id}:{each.seq}:{each.digest}")
        for each in papers
        if each.media_type == "application/pdf"
    ]
    if work:
        cases.enqueue_many(WORK, work, now)


def judge(case_id: str, said: Mapping[str, Any], _key: str, now: dt.datetime) -> None:
    """Judge a file and keep what was found; one that bears no signature leaves nothing.

    Without ``received_at`` it is one that was judged before: nothing is kept where it was erased meanwhile.
    """
    digest, came_in = str(said["digest"]), str(said.get("received_at", ""))
    known = SignedFile.objects.filter(digest=digest).first()
    path = cases.files.path_of(digest)
    if (known is None and not came_in) or not path.exists():
        return
    content = path.read_bytes()
    if MARK not in content:
        return
    # Who has the same file in two cases: the earlier time shows more.
    times = [dt.datetime.fromisoformat(came_in)] if came_in else []
    received = min([*times, *([known.received_at] if known else [])])
    found = found_in(content, keeping.believed(), now, received)
    if found:
        _keep(digest, found, received, now, case_id=case_id if came_in else "")


def _keep(
    digest: str, found: Sequence[Finding], received: dt.datetime, now: dt.datetime, *, case_id: str
) -> None:
    said = json.dumps([asdict(each) for each, _ in found], ensure_ascii=False)
    values = {"received_at": received, "judged_at": now, "findings": said}
    with transaction.atomic():
        if not case_id:
            # Judged anew: what was erased meanwhile stays so.
            file = SignedFile.objects.select_for_update().filter(digest=digest).first()
            SignedFile.objects.filter(digest=digest).update(**values)
        elif cases.files.hold(case_id, digest):
            file, _new = SignedFile.objects.update_or_create(digest=digest, defaults=values)
            SignedFileCase.objects.get_or_create(file=file, case_id=case_id)
        else:
            # The case was erased while its paper was read.
            file = None
        if file is not None:
            file.signers.all().delete()
            SignedFileSigner.objects.bulk_create(_signers(file, found))


def _signers(file: SignedFile, found: Sequence[Finding]) -> list[SignedFileSigner]:
    return [
        SignedFileSigner(
            file=file,
            issuer=chains.digest_of_name(signer.issuer),
            # A number that no list can name is left out: such a file is always judged anew.
            serial=f"{signer.serial_number:x}" if 0 < signer.serial_number < 1 << 160 else "",
            outcome=each.outcome,
        )
        for each, signer in found
        if signer is not None
    ]


def found_in(
    content: bytes, believed: domain.Believed, now: dt.datetime, received: dt.datetime
) -> list[Finding]:
    """Return what the signatures of a file are worth; a file that breaks the reader is refused, whatever it does."""
    try:
        judged = checking.judge_pdf(content, believed, now, received)
    except Exception as error:
        # A fault of ours would look the same: the log tells them apart.
        log.warning("signatures-unread", exc_info=True)
        name = type(error).__name__
        refused = domain.SignatureFound().refuse(
            "无法读取文件里的签名", f"The signatures cannot be read: {name}"
        )
        return [(refused, None)]
    return [(each.found, each.certificate) for each in judged]


def judge_again(
    authority: SignatureAuthority,
    now: dt.datetime,
    *,
    since: dt.datetime | None = None,
    by_list: HeldRevocationList | None = None,
) -> int:
    """Put the signed files that a change of the list may concern into the outbox, batch by batch; return how many.

    ``since``: the authority stands otherwise from then on: what was in hand before is as it was. ``by_list``: a revocation list
    was taken in: it changes what is in doubt or refused, and what it names; what was recognised without it stays so.
    """
    held = chains.load(keeping.authority_of(authority))
    rows = SignedFileSigner.objects.filter(
        issuer__in={"", *(chains.digest_of_name(each.subject) for each in held)}
    )
    if since is not None:
        rows = rows.filter(file__received_at__gte=since - checking.SLACK)
    named = _named_by(by_list, held) if by_list is not None else None
    after = number = 0
    while files := list(_files_of(rows.filter(file_id__gt=after))):
        after = files[-1]
        wanted = files if named is None else _concerned(rows.filter(file_id__in=files), named)
        number += _judge_anew(wanted, now)
    return number


def _files_of(rows: QuerySet[SignedFileSigner]) -> QuerySet[SignedFileSigner, int]:
    return rows.order_by("file_id").values_list("file_id", flat=True).distinct()[:A_BATCH]


def _named_by(
    by_list: HeldRevocationList, held: Sequence[x509.Certificate]
) -> x509.CertificateRevocationList | None:
    """Return the list to look signers up in; ``None`` where it names the authority's own: then all it signed is concerned."""
    found = x509.load_der_x509_crl(base64.b64decode(by_list.content))
    own = (found.get_revoked_certificate_by_serial_number(each.serial_number) for each in held)
    return None if any(own) else found


def _concerned(rows: QuerySet[SignedFileSigner], named: x509.CertificateRevocationList) -> list[int]:
    """Return the files of a batch that a revocation list may concern."""
    return sorted(
        {
            file
            for file, serial, outcome in rows.values_list("file_id", "serial", "outcome")
            if outcome != domain.RECOGNISED
            or not serial
            or named.get_revoked_certificate_by_serial_number(int(serial, 16)) is not None
        }
    )


def _judge_anew(files: Sequence[int], now: dt.datetime) -> int:
    """Put files into the outbox, each as work of one of its cases."""
    held = SignedFileCase.objects.filter(file_id__in=files).order_by().values_list("file__digest")
    work = [
        (case_id, {"digest": digest}, f"{WORK}:{digest}:{uuid4().hex}")
        for digest, case_id in held.annotate(Min("case_id"))
    ]
    cases.enqueue_many(WORK, work, now)
    return len(work)


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
    """Erase what was kept of the signatures of a case whose personal values are erased, unless another case has the file."""
    held = SignedFileCase.objects.filter(case_id=case_id)
    files = list(held.values_list("file_id", flat=True))
    held.delete()
    SignedFile.objects.filter(pk__in=files, cases__isnull=True).delete()
    return len(files)
