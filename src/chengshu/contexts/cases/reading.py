"""What contexts above may read of a case for what they issue, publish and send: its brief, its pack's words, who holds a role."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases import effects, packs, rows, sealing
from chengshu.contexts.cases.models import CaseEvent, PackVersion
from chengshu.contexts.cases.sql import sql
from chengshu.contexts.cases.wording import EMPTY, LANGUAGES, grounds, hundredth_names, money_names
from chengshu.kernel.money import hundredths, in_yuan
from chengshu.procedure.model import Pack
from chengshu.procedure.wording import fill


@dataclass(frozen=True, slots=True)
class CaseBrief:
    """A case in a line; ``title`` is what its pack calls it. ``drill`` marks an exercise."""

    id: str
    pack: str
    title: dict[str, str]
    label: str
    department: str
    opened_by: str
    parent_id: str
    state: str
    ended: bool
    drill: bool


def case_brief(case_id: str) -> CaseBrief:
    """Return a case in a line; raises ``Problem`` when there is none."""
    row = rows.lock_free(case_id)
    pack = _pack(row)
    closed = sql().run("SELECT closed_at FROM cases_case WHERE id = %s", (case_id,)).fetchone()
    return CaseBrief(
        row.id, pack.id, _both(pack, "title"), row.label, row.department, row.opened_by, row.parent_id or "",
        row.state, closed is not None and closed[0] is not None, row.case("").facts.get("drill") is True,
    )  # fmt: skip


def case_subject(case_id: str) -> str:
    """Return whom or what a case is about; empty while it is not opened, or about nobody on record."""
    return rows.lock_free(case_id).subject_id if case_id else ""


def case_line(case_id: str) -> list[str]:
    """Return a case and those it descends from, the case itself first."""
    line = [case_id]
    while len(line) < 20 and (parent := rows.parent_of(line[-1])):
        line.append(parent)
    return line


def case_facts(case_id: str) -> dict[str, dict[str, Any]]:
    """Return what a case was opened with and has kept, personal facts included: for documents of that very case."""
    row = rows.lock_free(case_id)
    case = row.case("")
    return {"facts": {**case.facts, **sealing.personal_facts(case_id)}, "kept": dict(case.kept)}


def step_said(case_id: str, key: str) -> dict[str, Any]:
    """Return what the step behind an effect's key rested on and decided: ``grounds`` as citations, ``decided`` by name."""
    seq = key.split(":")[1] if key.startswith(f"{case_id}:") else ""
    events = CaseEvent.objects.filter(case_id=case_id).order_by("-seq")
    if seq.isdigit():
        events = events.filter(seq=int(seq))
    body = json.loads(events.values_list("body", flat=True).first() or "{}")
    found = grounds(_pack(rows.lock_free(case_id)), body.get("grounds", []))
    return {"grounds": [dict(each.citation) for each in found], "decided": body.get("decided", {})}


def pack_said(case_id: str, key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return a text of the case's pack in both languages with its slots filled; empty where the pack has none.

    ``values`` holds buckets (``facts``, ``data``, ``fields`` …) and plain names (``actor``, ``title`` …).
    """
    pack = _pack(rows.lock_free(case_id))
    return {
        language: fill(pack.text(key, language), _sayer(pack, language, values)) for language in LANGUAGES
    }


def _sayer(pack: Pack, language: str, values: Mapping[str, Any]) -> Callable[[str], Any]:
    def value_of(slot: str) -> Any:
        bucket, dot, name = slot.partition(".")
        known = values.get(bucket)
        if not dot:
            return known
        if not isinstance(known, Mapping) or name not in known:
            return None
        value = known[name]
        if isinstance(value, Mapping) and language in value:
            # Said already, in either language.
            return value[language]
        if type(value) is int and slot in money_names(pack):
            return in_yuan(value)[language]
        if type(value) is int and name in hundredth_names(pack):
            return hundredths(value)
        if isinstance(value, str):
            return pack.text(f"choices.{name}.{value}", language) or value
        if isinstance(value, list | tuple):
            return "、".join(str(item) for item in value)
        return EMPTY if value is None else value

    return value_of


def pack_words(case_id: str, keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return several texts of the case's pack as they stand, by key and language; empty where there is none."""
    pack = _pack(rows.lock_free(case_id))
    return {key: _both(pack, key) for key in keys}


def money_of(case_id: str) -> frozenset[str]:
    """Return the names whose values are money in the case's pack, dotted and bare."""
    return money_names(_pack(rows.lock_free(case_id)))


def hundredths_of(case_id: str) -> frozenset[str]:
    """Return the names whose values the case's pack keeps in hundredths."""
    return hundredth_names(_pack(rows.lock_free(case_id)))


def account_columns(case_id: str) -> frozenset[str]:
    """Return the columns of the pack's rows that say whose account a row is."""
    fields = [field for _, given in _pack(rows.lock_free(case_id)).fields() for field in given.values()]
    return frozenset(
        column.name for field in fields for column in field.columns.values() if column.format == "account"
    )


def pack_templates(case_id: str) -> dict[str, str]:
    """Return the document templates of the version that the case runs under, by file name."""
    row = rows.lock_free(case_id)
    files = json.loads(PackVersion.objects.values_list("files", flat=True).get(pk=row.pack_version_id))
    prefix = "templates/"
    return {name.removeprefix(prefix): text for name, text in files.items() if name.startswith(prefix)}


def role_owners(case_id: str, role: str, now: dt.datetime) -> list[str]:
    """Return who holds a role of the pack in a case, as owners: ``account:7``, ``department:market``, ``role:operator``."""
    row = rows.lock_free(case_id)
    return effects.holders_of(_pack(row).roles[role], row, now)


def _pack(row: rows.CaseRow) -> Pack:
    return packs.pinned(row.pack_version_id, row.pack_hash).pack


def _both(pack: Pack, key: str) -> dict[str, str]:
    return {language: pack.text(key, language) for language in LANGUAGES}
