"""Packages are made by a job, minutes after a case has ended: one an end, a further version where it was opened again."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.archive import terms
from chengshu.contexts.hall.archive.models import ArchivePackage
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel import information_package as packages
from chengshu.kernel import kept_files, masking
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import LEGAL_ZONE, legal_day

log = structlog.get_logger("chengshu.archive")
# Papers of the last step are typeset by jobs of their own: they are waited for.
SETTLED = dt.timedelta(minutes=2)
MOST_ATTEMPTS = 60
A_ROUND = 50
# Other jobs of the process wait meanwhile.
ROUND_SECONDS = 3.0
KIND, SEAL_TYPE = "archive.package", "cs-archive+jws"
# Why a package is not there, as its row keeps it.
BEGUN, WAITING, OPENED_AGAIN = "begun", "waiting for papers", "opened again"
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg"}
State = ArchivePackage.State


class NotYet(Exception):
    """Something of the case is still being made."""


def folder() -> Path:
    """Return where the packages lie."""
    return Path(settings.VAR_DIR) / "archive"


def run(now: dt.datetime) -> int:
    """Make the packages of cases that have ended since; returns how many. Several may run at once: each end has one package."""
    come = ArchivePackage.objects.filter(ahead=False).order_by("-closed_at", "-case_id")
    last = come.values_list("closed_at", "case_id").first()
    waiting = ArchivePackage.objects.filter(state=State.FAILED, attempts__lt=MOST_ATTEMPTS)
    again = list(waiting.order_by("attempts", "pk")[:A_ROUND])
    done, stop = 0, time.monotonic() + ROUND_SECONDS
    for ended in cases.ended_cases(last, now - SETTLED, without=terms.terms().not_filed, most=A_ROUND):
        if time.monotonic() >= stop:
            break
        row = _begun(ended)
        if row is None:
            # There already: what was filed ahead is behind the job now.
            _of_end(ended).update(ahead=False)
        done += _tried(row, now) if row is not None else 0
    for row in again:
        done += _tried(row, now) if time.monotonic() < stop and _taken(row) else 0
    return done


def file_case(case_id: str, now: dt.datetime) -> ArchivePackage:
    """File one closed case now, by command, wherever the job is; returns its package, whose ``error`` says if it is not made."""
    ended = _to_file(case_id, now)
    row = _of_end(ended).first()
    if row is None:
        row = _begun(ended, ahead=True)
    elif row.state == State.FAILED and _taken(row):
        row.attempts = 1
    else:
        raise Problem("archive-filed", _("这个办件已经归档"), detail=row.number, status=409)
    if row is None:
        raise Problem("archive-filed", _("这个办件正在归档"), detail=case_id, status=409)
    _tried(row, now)
    return row


def _to_file(case_id: str, now: dt.datetime) -> cases.EndedCase:
    """Return the end of a case that may be filed, or refuse with what stands against it."""
    ended = cases.ended_case(case_id)
    if ended is None:
        raise Problem("archive-open", _("办件还没有办结，不能归档"), detail=case_id, status=409)
    if ended.pack in terms.terms().not_filed:
        raise Problem(
            "archive-not-kept",
            _("本地不归档这类办件"),
            detail=f"{ended.pack}: {terms.terms().not_filed[ended.pack]}",
            remedy=_("哪些办件不归档，写在 archive.yaml 的 not_filed 里"),
            status=409,
        )
    if ended.closed_at > now - SETTLED:
        raise Problem(
            "archive-too-soon",
            _("办件刚刚办结，文书可能还没有做好"),
            detail=case_id,
            remedy=_("两分钟以后再归档"),
            status=409,
        )
    return ended


def _of_end(ended: cases.EndedCase) -> QuerySet[ArchivePackage]:
    return ArchivePackage.objects.filter(case_id=ended.case_id, closed_at=ended.closed_at)


def make_again(rows: QuerySet[ArchivePackage], now: dt.datetime) -> tuple[int, int]:
    """Try packages that were not made once more, however often it was tried; return how many were made, and how many not."""
    made = missing = 0
    for row in rows.filter(state=State.FAILED).order_by("pk"):
        if _taken(row):
            row.attempts = 1
            done = _tried(row, now)
            made, missing = made + done, missing + 1 - done
    return made, missing


def _begun(ended: cases.EndedCase, *, ahead: bool = False) -> ArchivePackage | None:
    """Note an end before anything is made of it: what breaks the making, or the process, is seen and has an end."""
    number = ArchivePackage.objects.filter(case_id=ended.case_id).count() + 1
    term, closed_on = terms.terms().of(ended.pack), legal_day(ended.closed_at)
    period = "Y" if term.years is None else f"D{term.years}"
    row = ArchivePackage(
        number=f"{closed_on.year}-{period}-{ended.case_id}-{number}",
        case_id=ended.case_id,
        version=number,
        pack=ended.pack,
        title_zh=ended.pack,
        title_en=ended.pack,
        opened_at=ended.closed_at,
        closed_at=ended.closed_at,
        years=term.years,
        ground=term.ground[:300],
        due_on=terms.due_on(closed_on, term),
        state=State.FAILED,
        error=BEGUN,
        attempts=1,
        ahead=ahead,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # Another process was first.
        return None
    return row


def _taken(row: ArchivePackage) -> bool:
    """Take a package that was not made, for this process alone."""
    mine = ArchivePackage.objects.filter(pk=row.pk, state=State.FAILED, attempts=row.attempts)
    row.attempts += 1
    return bool(mine.update(attempts=row.attempts))


def _tried(row: ArchivePackage, now: dt.datetime) -> int:
    try:
        found = cases.case_on_file(row.case_id, now)
        if found is None or found.closed_at != row.closed_at:
            row.attempts = MOST_ATTEMPTS
            return _note_failure(row, OPENED_AGAIN)
        _describe(row, found)
        _make(row, found, now)
    except NotYet:
        return _note_failure(row, WAITING)
    except Exception as error:
        # One case that cannot be filed does not keep the others from it; the list shows it.
        log.exception("archive-failed", case=row.case_id)
        return _note_failure(row, f"{type(error).__name__}: {error}")
    return 1


def _note_failure(row: ArchivePackage, why: str) -> int:
    row.state, row.error, row.digest = State.FAILED, why[:300], ""
    _save(row)
    return 0


def _save(row: ArchivePackage) -> None:
    """Save a row, but not whether it is closed to use, nor where the job is: that may have been said since it was read."""
    names = [each.name for each in ArchivePackage._meta.concrete_fields if not each.primary_key]
    row.save(update_fields=[name for name in names if name not in ("closed_to_use_at", "ahead")])


def _describe(row: ArchivePackage, found: cases.CaseOnFile) -> None:
    """Say of a package what the case is."""
    row.title_zh, row.title_en = found.title["zh"][:200], found.title["en"][:200]
    row.outcome_zh, row.outcome_en = found.outcome["zh"][:100], found.outcome["en"][:100]
    row.department, row.subject_id, row.opened_at = found.department, found.subject_id, found.opened_at


def _make(row: ArchivePackage, found: cases.CaseOnFile, now: dt.datetime) -> None:
    """Write the package, then its row and its leaf in one transaction: what is on the list is whole and on record."""
    entries, materials = _entries(found)
    said = _metadata(row, found, materials)
    content = packages.build(said, entries, partial(_sealed, row, now))
    digest = kept_files.keep(folder(), content)
    with transaction.atomic():
        if not ArchivePackage.objects.select_for_update().filter(pk=row.pk, state=State.FAILED).exists():
            # Another process has made it meanwhile: its package stands.
            return
        leaf = ledger.deposit(
            KIND,
            f"archive:{row.number}",
            {"number": row.number, "case": row.case_id, "digest": digest},
            now=now,
        )
        row.digest, row.size, row.files = digest, len(content), len(entries) + 1
        row.made_at, row.leaf_id, row.leaf_salt = now, leaf.id, leaf.salt
        row.state, row.error = State.KEPT, ""
        _save(row)


def _sealed(row: ArchivePackage, now: dt.datetime, manifest: str) -> str:
    return certificates.sign_statement({"number": row.number, "manifest": manifest}, SEAL_TYPE, now)


def _entries(found: cases.CaseOnFile) -> tuple[list[packages.Entry], int]:
    entries = [
        packages.Entry("data/form.json", packages.canonical_json(found.form)),
        packages.Entry("data/history.json", packages.canonical_json(found.history)),
        packages.Entry("data/history.txt", _told(found).encode()),
        packages.Entry("data/decisions.json", packages.canonical_json(found.decisions)),
        packages.Entry("data/grounds.json", packages.canonical_json(found.grounds)),
    ]
    materials = _materials(found)
    return [*entries, *materials, *_results(found), *_receipts(found)], len(materials)


def _materials(found: cases.CaseOnFile) -> list[packages.Entry]:
    entries = []
    for number, file in enumerate(found.files, 1):
        content = cases.file_content(file)
        if content is not None:
            ending = ENDINGS.get(file.media_type, "pdf")
            entries.append(packages.Entry(f"materials/{number:03}.{ending}", content))
    return entries


def _results(found: cases.CaseOnFile) -> list[packages.Entry]:
    """Return certificates and documents as PDFs, certificates also as credentials."""
    entries = []
    for number, result in enumerate(certificates.results_of([found.case_id], legal_day(found.closed_at)), 1):
        if not result.made:
            raise NotYet
        entries.append(packages.Entry(f"results/{number:03}.pdf", certificates.result_file(result)))
        if result.credential:
            entries.append(packages.Entry(f"results/{number:03}.txt", result.credential.encode()))
    return entries


def _receipts(found: cases.CaseOnFile) -> list[packages.Entry]:
    """Return the proofs that each step stands in the ledger, as far as they are there."""
    entries = []
    for step in found.history:
        receipt = ledger.receipt(step["leaf"])
        if receipt is None:
            raise NotYet
        entries.append(packages.Entry(f"receipts/{step['seq']:03}.txt", receipt.as_text().encode()))
    return entries


def _told(found: cases.CaseOnFile) -> str:
    """Return the history for people: one paragraph a step."""
    lines = [f"{found.title['zh']}  {found.case_id}", ""]
    for step in found.history:
        at = step["at"].astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
        lines.append(f"{step['seq']}. {at}  {step['sentence']['zh']}")
        lines += [f"   {each['label']['zh']}：{_words(each['value'])}" for each in step["answers"]]
        lines += [f"   依据：{each['citation']['zh']}" for each in step["grounds"]]
    return "\n".join([*lines, ""])


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("zh") or "、".join(str(each) for each in value.values()))
    return "、".join(map(_words, value)) if isinstance(value, list) else str(value)


def _metadata(row: ArchivePackage, found: cases.CaseOnFile, materials: int) -> dict[str, Any]:
    earlier: Sequence[str] = list(
        ArchivePackage.objects.filter(case_id=found.case_id, version__lt=row.version)
        .order_by("version")
        .values_list("digest", flat=True)
    )
    opener = identity.account(int(found.opened_by)) if found.opened_by.isdigit() else None
    return {
        "format": packages.FORMAT,
        "number": row.number,
        "version": row.version,
        "earlier": earlier,
        "case": found.case_id,
        "pack": found.pack,
        "pack_version": found.pack_version,
        "title": found.title,
        "fonds": dict(settings.DISTRICT["name"]),
        "department": identity.department_name(found.department) if found.department else dict(settings.DISTRICT["name"]),
        # Masked: the description travels further than the content.
        "party": masking.mask_name(opener.display_name) if opener else "系统",
        "subject": found.subject_id,
        "opened_at": found.opened_at,
        "closed_at": found.closed_at,
        "outcome": found.outcome,
        "retention": {"years": row.years or terms.PERMANENT, "ground": row.ground, "until": row.due_on},
        "access": "internal",
        "materials": materials,
        "erased": len(found.files) - materials,
        "steps": len(found.history),
        "papers": [
            {"number": number, "name": file.name, "digest": file.digest, "erased": file.erased}
            for number, file in enumerate(found.files, 1)
        ],
        "demo": bool(settings.DEMO),
    }  # fmt: skip
