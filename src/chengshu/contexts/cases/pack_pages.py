"""What a pack's page shows: steps with their grounds, forms, terms, article coverage, sample cases."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from chengshu.contexts.cases.domain import FieldView, Ground
from chengshu.contexts.cases.field_views import field_view
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.wording import both, ground, grounds
from chengshu.kernel.problems import Problem
from chengshu.kernel.strict_yaml import parse_yaml
from chengshu.procedure.checker import Coverage
from chengshu.procedure.files import PackFiles
from chengshu.procedure.loader import check_files
from chengshu.procedure.model import Pack

MOST_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step in words."""

    sources: list[dict[str, str]]
    title: dict[str, str]
    target: dict[str, str]
    by: list[dict[str, str]]
    grounds: list[Ground]


@dataclass(frozen=True, slots=True)
class TermLine:
    """One term in words."""

    title: dict[str, str]
    length: dict[str, str]
    grounds: list[Ground]


@dataclass(frozen=True, slots=True)
class ArticleLine:
    """One article, and what executes it or why nothing does."""

    ground: Ground
    status: str
    by: list[dict[str, str]]
    why: str


@dataclass(frozen=True, slots=True)
class FormLine:
    """One form with its fields: the opening's, or a command's."""

    title: dict[str, str]
    fields: list[FieldView]


@dataclass(frozen=True, slots=True)
class CoverageLine:
    """How many articles take effect, are only informative, or are exempted with a reason."""

    executed: int
    exempt: int
    informative: int
    missing: int
    percent: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample case (golden case): what happens, and what must come of it with the arithmetic of each date."""

    title: str
    opened: str
    steps: list[str]
    state: str
    terms: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class PackPage:
    """A pack as a page shows it."""

    id: str
    title: dict[str, str]
    version: str
    hash: str
    loaded_at: dt.datetime
    valid_from: dt.date
    valid_to: dt.date | None
    steps: list[StepLine]
    terms: list[TermLine]
    articles: list[ArticleLine]
    basis: list[str]
    forms: list[FormLine] = field(default_factory=list)


def pack_page(pack: Pack, row: PackVersion) -> PackPage:
    """Return a pack in words."""
    coverage = _coverage(row.hash)
    system = {"zh": "系统", "en": "the system"}
    steps = [
        StepLine(
            sources=[both(pack, f"states.{name}") for name in step.sources],
            title=both(pack, f"commands.{step.command}"),
            target=both(pack, f"states.{step.target}")
            if step.target
            else {"zh": "（不变）", "en": "(stays)"},
            by=[both(pack, f"roles.{role}") if role in pack.roles else system for role in sorted(step.by)],
            grounds=grounds(pack, step.cite),
        )
        for step in pack.transitions
    ]
    terms = [
        TermLine(
            both(pack, f"terms.{name}"),
            {"zh": item.words("zh"), "en": item.words("en")},
            grounds(pack, item.cite),
        )
        for name, item in pack.deadlines.items()
    ]
    articles = [
        ArticleLine(ground(pack, key), item.status, _executed(pack, coverage.executed.get(key, ())), item.why)
        for key, item in pack.articles.items()
    ]
    basis = [f"《{item.title}》{item.number}，{item.issuer}，{item.date}" for item in pack.basis.values()]
    return PackPage(
        pack.id, both(pack, "title"), pack.version, pack.hash, row.loaded_at, pack.valid_from, pack.valid_to, steps,
        terms, articles, basis, _forms(pack),
    )  # fmt: skip


_BY = re.compile(r"^(step|fact|field|term|row|parameter) '([^']+)'(?: of (\S+)| from (\S+))?$")
_CALLED = {
    "step": ("步骤", "step"),
    "fact": ("填写项", "field"),
    "field": ("填写项", "field"),
    "term": ("期限", "term"),
    "row": ("判断", "decision"),
    "parameter": ("参数", "parameter"),
}


def _executed(pack: Pack, by: tuple[str, ...]) -> list[dict[str, str]]:
    """Return what executes an article in words: the checker names elements, people know them by their labels."""
    found: dict[str, dict[str, str]] = {}
    for each in by:
        match = _BY.match(each)
        if match is None:
            line = {"zh": each, "en": each}
        else:
            kind, name, table, since = match.groups()
            words = _element(pack, kind, name, table or "")
            zh, en = _CALLED[kind]
            line = {"zh": f"{zh}“{words['zh'] or name}”", "en": f"{en} “{words['en'] or name}”"}
            if since:
                line = {"zh": f"{line['zh']}（自 {since}）", "en": f"{line['en']} (from {since})"}
        found[line["zh"]] = line
    return list(found.values())


def _element(pack: Pack, kind: str, name: str, table: str) -> dict[str, str]:
    if kind == "step":
        step = next((step for step in pack.transitions if step.id == name), None)
        return both(pack, f"commands.{step.command}") if step else {"zh": "提出", "en": "opening"}
    if kind == "row":
        return both(pack, f"rows.{table}.{name}")
    return both(pack, f"terms.{name}" if kind == "term" else f"fields.{name}.label")


def _forms(pack: Pack) -> list[FormLine]:
    """Return every form with its fields; two steps that share a form show it once."""
    asked = [item for item in pack.facts.values() if item.type.kind != "map"]
    found = [FormLine({"zh": "提出", "en": "Opening"}, [field_view(pack, item, {}) for item in asked])]
    for name, form in pack.forms.items():
        steps = [step for step in pack.transitions if step.form is not None and step.form.name == name]
        if steps:
            fields = [field_view(pack, item, {}) for item in form.fields.values()]
            found.append(FormLine(both(pack, f"commands.{steps[0].command}"), fields))
    return found


@lru_cache(maxsize=64)
def _coverage(hash_: str) -> Coverage:
    """Check a version once: its content never changes under its hash."""
    row = PackVersion.objects.get(hash=hash_)
    return check_files(PackFiles(f"{row.pack}@{row.version}", json.loads(row.files))).coverage


def coverage_of(row: PackVersion) -> CoverageLine:
    """Return how far the articles of a version take effect."""
    found = _coverage(row.hash)
    return CoverageLine(
        len(found.executed), len(found.exempt), len(found.informative), len(found.missing),
        round(100 * found.share()),
    )  # fmt: skip


def samples_of(row: PackVersion) -> list[Sample]:
    """Return the sample cases of a version, as its files tell them."""
    texts: dict[str, str] = json.loads(row.files)
    found: list[Sample] = []
    for path in sorted(path for path in texts if path.startswith("cases/")):
        try:
            data = parse_yaml(texts[path], path)
        except Problem:
            # Cases are no part of what runs: a version with an odd one is shown without it.
            continue
        for case in data.get("cases", ()):
            found.append(_sample(case))
    return found[:MOST_SAMPLES]


def _sample(case: Any) -> Sample:
    given, then = case.get("given", {}), case.get("then", {})
    terms = then.get("terms") or {}
    return Sample(
        title=str(case.get("case", "")),
        opened=str(given.get("at", "")),
        steps=[_sample_step(step) for step in case.get("when") or ()],
        state=str(then.get("outcome") or then.get("state") or ""),
        terms=[
            (str(name), str(term.get("due", "")), str(term.get("because", "")))
            for name, term in terms.items()
            if hasattr(term, "get") and term.get("due")
        ],
    )


def _sample_step(step: Any) -> str:
    what = step.get("do") or step.get("expire") or step.get("ended") or ""
    return " · ".join(str(part) for part in (step.get("at"), step.get("by"), what) if part)
