"""Packages are made by the clock, minutes after a case has ended: one an end, a further version where it was opened again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.archive import terms
from chengshu.contexts.hall.archive.models import ArchivePackage
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel import information_package as packages
from chengshu.kernel import kept_files, masking
from chengshu.kernel.terms import LEGAL_ZONE, legal_day

log = structlog.get_logger("chengshu.archive")
# Papers of the last step are typeset by jobs of their own: they are waited for.
SETTLED = dt.timedelta(minutes=2)
MOST_ATTEMPTS = 60
A_ROUND = 50
KIND, SEAL_TYPE = "archive.package", "cs-archive+jws"
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg"}
State = ArchivePackage.State


class NotYet(Exception):
    """Something of the case is still being made."""


def folder() -> Path:
    """Return where the packages lie."""
    return Path(settings.VAR_DIR) / "archive"


def run(now: dt.datetime) -> int:
    """Make the packages of cases that have ended since; returns how many. Several may run at once: each end has one package."""
    since = ArchivePackage.objects.aggregate(last=Max("closed_at"))["last"]
    failed = ArchivePackage.objects.filter(state=State.FAILED, attempts__lt=MOST_ATTEMPTS)
    again = list(failed.order_by("attempts", "pk")[:A_ROUND])
    done = 0
    for ended in cases.ended_cases(since, now - SETTLED, without=terms.terms().not_filed, most=A_ROUND):
        known = ArchivePackage.objects.filter(case_id=ended.case_id, closed_at=ended.closed_at).exists()
        found = None if known else cases.case_on_file(ended.case_id, now)
        done += _tried(_row(found), found, now) if found is not None else 0
    for row in again:
        found = cases.case_on_file(row.case_id, now)
        if found is not None and found.closed_at == row.closed_at:
            done += _tried(row, found, now)
        else:
            # Opened again before it could be filed: its next end is filed with all that was.
            ArchivePackage.objects.filter(pk=row.pk).update(attempts=MOST_ATTEMPTS)
    return done


def _tried(row: ArchivePackage, found: cases.CaseOnFile, now: dt.datetime) -> int:
    try:
        _make(row, found, now)
    except NotYet:
        return _note_failure(row, "papers of the case are still being made")
    except Exception as error:
        # One case that cannot be filed does not keep the others from it; the list shows it.
        log.exception("archive-failed", case=row.case_id)
        return _note_failure(row, f"{type(error).__name__}: {error}")
    return 1


def _note_failure(row: ArchivePackage, why: str) -> int:
    row.state, row.error, row.attempts = State.FAILED, why[:300], row.attempts + 1
    row.save()
    return 0


def _row(found: cases.CaseOnFile) -> ArchivePackage:
    """Return the row of a package to be made: its number, version, term."""
    earlier = ArchivePackage.objects.filter(case_id=found.case_id).count()
    term, closed_on = terms.terms().of(found.pack), legal_day(found.closed_at)
    period = "Y" if term.years is None else f"D{term.years}"
    return ArchivePackage(
        number=f"{closed_on.year}-{period}-{found.case_id}-{earlier + 1}",
        case_id=found.case_id,
        version=earlier + 1,
        pack=found.pack,
        title_zh=found.title["zh"][:200],
        title_en=found.title["en"][:200],
        department=found.department,
        subject_id=found.subject_id,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
        outcome_zh=found.outcome["zh"][:100],
        outcome_en=found.outcome["en"][:100],
        years=term.years,
        ground=term.ground[:300],
        due_on=terms.due_on(closed_on, term),
    )


def _make(row: ArchivePackage, found: cases.CaseOnFile, now: dt.datetime) -> None:
    """Write the package, then its row and its leaf in one transaction: what is on the list is whole and on record."""
    entries, materials = _entries(found)
    said = _metadata(row, found, materials)
    content = packages.build(said, entries, partial(_sealed, row, now))
    digest = kept_files.keep(folder(), content)
    with transaction.atomic():
        leaf = ledger.deposit(
            KIND,
            f"archive:{row.number}",
            {"number": row.number, "case": row.case_id, "digest": digest},
            now=now,
        )
        row.digest, row.size, row.files = digest, len(content), len(entries) + 1
        row.made_at, row.leaf_id, row.leaf_salt = now, leaf.id, leaf.salt
        row.state, row.error = State.KEPT, ""
        row.save()


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
