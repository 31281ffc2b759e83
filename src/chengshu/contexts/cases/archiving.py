"""A closed case as its archive keeps it: what was filled in, each step as a sentence with its grounds, decisions, papers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases import case_file, packs, presenting, queries, rows
from chengshu.contexts.cases.access import FULL, Access
from chengshu.contexts.cases.domain import FileView
from chengshu.contexts.cases.files import path_of
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.sealing import personal_facts
from chengshu.contexts.cases.trace import decisions_of
from chengshu.contexts.cases.wording import both, grounds
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import Actor


@dataclass(frozen=True, slots=True)
class EndedCase:
    """A case that has ended: which, by which pack, when."""

    case_id: str
    pack: str
    closed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class CaseOnFile:
    """Everything of a closed case that is kept; values of persons in clear, so what it becomes is guarded as the case is."""

    case_id: str
    pack: str
    pack_version: str
    title: dict[str, str]
    department: str
    subject_id: str
    opened_by: str
    opened_at: dt.datetime
    closed_at: dt.datetime
    outcome: dict[str, str]
    form: list[dict[str, Any]]
    history: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    grounds: list[dict[str, Any]]
    files: list[FileView]


def ended_cases(
    after: tuple[dt.datetime, str] | None, until: dt.datetime, *, without: Collection[str], most: int
) -> list[EndedCase]:
    """Return cases that ended by ``until``, oldest first, behind the end of the case ``after``; ``without``: of no such pack.

    Many cases may end at one instant (a sweep, a review in bulk): the number of the case tells them apart.
    """
    names = PackVersion.objects.order_by("pack").values_list("pack", flat=True).distinct()
    found: list[EndedCase] = []
    # Pack by pack, each a few entries of the index `ended_cases`, however many cases there are.
    for pack in (name for name in names if name not in without):
        ended = CaseModel.objects.filter(pack=pack, closed_at__isnull=False, closed_at__lte=until)
        if after is not None:
            at, case_id = after
            ended = ended.filter(closed_at__gte=at).exclude(closed_at=at, pk__lte=case_id)
        lines = ended.order_by("closed_at", "pk").values_list("pk", "pack", "closed_at")[:most]
        found += [EndedCase(*line) for line in lines]
    return sorted(found, key=lambda each: (each.closed_at, each.case_id))[:most]


def ended_case(case_id: str) -> EndedCase | None:
    """Return how one case ended; ``None`` while it is open. Raises ``case-unknown``."""
    line = CaseModel.objects.filter(pk=case_id).values_list("pk", "pack", "closed_at").first()
    if line is None:
        raise Problem("case-unknown", _("没有这个办件"), detail=case_id[:40], status=404)
    return EndedCase(*line) if line[2] is not None else None


def case_on_file(case_id: str, now: dt.datetime) -> CaseOnFile | None:
    """Return a closed case whole, for its archive; ``None`` while it is open. No person looks: the job writes it away."""
    row = rows.lock_free(case_id)
    model, children = queries.with_children(case_id)
    if model.closed_at is None:
        return None
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    access = Access(row, pack, Actor("system", "系统", frozenset()), FULL, inside=True)
    secrets, _erased = presenting.secrets_of(case_id)
    events = presenting.events_of(access, secrets, set(), children)
    case = row.case(pack.id)
    return CaseOnFile(
        case_id,
        pack.id,
        pack.version,
        both(pack, "title"),
        row.department or _deciding(pack, case_id),
        row.subject_id,
        row.opened_by,
        model.opened_at,
        model.closed_at,
        both(pack, f"outcomes.{row.outcome}") if row.outcome else {"zh": "", "en": ""},
        [
            {"name": name, "label": label, "value": _plain(value)}
            for name, label, value in presenting.facts_of(pack, {**case.facts, **personal_facts(case_id)})
        ],
        [
            {
                "seq": event.seq, "at": event.at, "step": event.step, "sentence": event.sentence, "note": event.note,
                "answers": [{"label": label, "value": _plain(value)} for label, value in event.answers],
                "grounds": [asdict(each) for each in event.grounds], "leaf": event.leaf_id,
                "files": [file.digest for file in event.files],
            }
            for event in events
        ],
        [
            {
                "seq": each.seq, "at": each.at, "automatic": each.automatic,
                "says": [{"label": dict(label), "value": _plain(value)} for label, value in each.says],
                "lines": [
                    {"words": dict(line.words), "held": line.held, "grounds": [asdict(ground) for ground in line.grounds]}
                    for line in each.lines
                ],
            }
            for each in decisions_of(case_id, identity.Account(), now, access)
        ],
        [asdict(each) for each in grounds(pack, pack.opening.cite)],
        [file for event in events for file in event.files],
    )  # fmt: skip


def file_content(file: FileView) -> bytes | None:
    """Return the bytes of a paper of a case; ``None`` where they were erased."""
    path = path_of(file.digest)
    return path.read_bytes() if not file.erased and path.is_file() else None


def _deciding(pack: Any, case_id: str) -> str:
    """Return the department that a pack names for its desk, where the case itself has none."""
    named: Sequence[str] = [role.department for role in pack.roles.values() if role.department]
    held = {role for _, role, _ in case_file.tasks_of(case_id)}
    worked = [role.department for name, role in pack.roles.items() if role.department and name in held]
    return next(iter([*worked, *named]), "")


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it: what is none of its kinds becomes its text."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)
