"""The papers of a case: files that come with a form or step are cleaned, stored and noted as its evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases import endings, files, packs, rows, sealing, uploads
from chengshu.contexts.cases.domain import FileIn
from chengshu.contexts.cases.models import EvidenceFile
from chengshu.contexts.cases.packs import Runtime
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Field


def papers_of_step(
    case_id: str,
    name: str,
    data: Mapping[str, Any],
    files_in: Sequence[FileIn],
    actor: Account | None,
    now: dt.datetime,
) -> tuple[list[files.Stored], Mapping[str, Any]]:
    """Clean and store files before the transaction, Pillow's work never holds the database; the answers name them."""
    may_name = actor is not None and any(isinstance(value, list | tuple) for value in data.values())
    if not files_in and not may_name:
        return [], data
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    steps = pack.steps.get((row.state, name), ())
    fields = next((step.form.fields for step in steps if step.form), {})
    stored = _cleaned(fields, files_in)
    sent = with_papers(data, stored)
    if may_name and actor is not None:
        # A stranger who takes a public step does not name the papers of the file by their digests.
        own = not any(pack.roles[role].holder == "public" for step in steps for role in step.by)
        stored += uploads.named(fields, sent, actor, now, case_id=case_id if own else "", kept=stored)
    return stored, sent


def papers_of_form(runtime: Runtime, sent: Sequence[FileIn]) -> list[files.Stored]:
    """Clean and store the files that come with an opening form."""
    return _cleaned(runtime.pack.facts, sent) if sent else []


def _cleaned(fields: Mapping[str, Field], sent: Sequence[FileIn]) -> list[files.Stored]:
    stored: list[files.Stored] = []
    for item in sent:
        field = fields.get(item.field)
        if field is None or field.type.kind != "files":
            raise Problem("file-unexpected", _("这一步不收文件"), detail=item.field, status=422)
        stored += files.store_files([item], field.accept)
    return stored


def with_papers(data: Mapping[str, Any], stored: Sequence[files.Stored]) -> dict[str, Any]:
    """Return answers that name the stored files by their digests."""
    sent = dict(data)
    for item in stored:
        sent[item.field] = [*sent.get(item.field, []), item.digest]
    return sent


def hand_papers(case_id: str, child: str, now: dt.datetime, step: int | None = None) -> None:
    """Give a child case the papers of its parent that its own facts name: they are its evidence as well.

    With ``step`` only what came with that step: a stranger who names another's paper by its digest does not get it.
    """
    row = rows.lock_free(child)
    fields = packs.pinned(row.pack_version_id, row.pack_hash).pack.facts
    facts = {**row.case("").facts, **sealing.personal_facts(child)}
    named = [
        digest
        for name, field in fields.items()
        if field.type.kind == "files"
        for digest in facts.get(name) or ()
    ]
    if not named or EvidenceFile.objects.filter(case_id=child).exists():
        return
    kept = EvidenceFile.objects.filter(case_id=case_id, digest__in=named, erased_at=None).order_by("pk")
    if step is not None:
        kept = kept.filter(seq=step)
    papers = {
        item.digest: files.Stored(item.digest, item.name, item.media_type, item.size, "", item.scanned)
        for item in kept
    }
    note_papers(child, 1, list(papers.values()), now)


def note_papers(case_id: str, seq: int, stored: Sequence[files.Stored], now: dt.datetime) -> None:
    """Note files as the evidence that came with a step; inside its transaction."""
    EvidenceFile.objects.bulk_create(
        EvidenceFile(
            case_id=case_id,
            seq=seq,
            digest=item.digest,
            name=item.name,
            media_type=item.media_type,
            size=item.size,
            scanned=item.scanned,
            at=now,
        )
        for item in stored
    )
    # The same paper may stand for two answers: it is one paper.
    once = {each.digest: each for each in stored}.values()
    endings.tell_papers([endings.PaperIn(case_id, seq, item.digest, item.media_type) for item in once], now)
