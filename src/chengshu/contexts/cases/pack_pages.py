"""What a pack's page shows: states, steps with their grounds, terms, article coverage."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from chengshu.contexts.cases.domain import Ground
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.wording import both, ground, grounds
from chengshu.procedure.files import PackFiles
from chengshu.procedure.loader import check_files
from chengshu.procedure.model import Pack


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
    by: tuple[str, ...]
    why: str


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


def pack_page(pack: Pack, row: PackVersion) -> PackPage:
    """Return a pack in words."""
    coverage = check_files(PackFiles("", json.loads(row.files))).coverage
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
        ArticleLine(ground(pack, key), item.status, coverage.executed.get(key, ()), item.why)
        for key, item in pack.articles.items()
    ]
    basis = [f"《{item.title}》{item.number}，{item.issuer}，{item.date}" for item in pack.basis.values()]
    return PackPage(
        pack.id, both(pack, "title"), pack.version, pack.hash, row.loaded_at, pack.valid_from, pack.valid_to, steps,
        terms, articles, basis,
    )  # fmt: skip
