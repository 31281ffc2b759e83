"""One run: every step from intake to findings, each done only if something it depends on changed.

``build`` touches nothing that readers see: it leaves a ``Built`` whose outputs lie in the store, for the subjects
context to publish. What the last published run made is given as its manifest.
"""

from __future__ import annotations

import datetime as dt
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.declarations import Declarations, Source
from chengshu.batch.pipeline import check, fuse, intake, link, place, standardise
from chengshu.batch.pipeline.fuse import Human
from chengshu.batch.pipeline.place import Ground
from chengshu.batch.pipeline.store import Store, read_json
from chengshu.kernel.problems import Problem

READERS = 2
# The steps in their order, for people who ask what a build does (`chengshu build --steps`).
STEPS: tuple[tuple[str, str], ...] = (
    (
        "intake",
        "read each source's files as text; refuse rows that cannot be cut or decoded; watch for drift",
    ),
    (
        "standardise",
        "standard values, keys and quality rules; refused rows with their reason; absent rows marked",
    ),
    ("match", "match each distinct address text with the address library"),
    ("place", "give records their place, community and cell; coordinates to WGS-84"),
    ("link", "find which records are one person, firm or facility"),
    ("ids", "give subjects the id they had before, or a new one; redirects for merges and splits"),
    ("fuse", "one golden record a subject, by authority, then recency; losers and conflicts kept"),
    ("check", "findings: what does not fit across the tables"),
    ("publish", "load what changed into the database, then turn the one row that readers follow"),
    ("cases", "open verification cases for new findings, withdraw unstarted ones of findings that are gone"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """Everything a run depends on."""

    declarations: Declarations
    folder: Path
    store: Store
    ground: Ground
    human: Human
    on: dt.date
    base: Mapping[str, Any] | None = None  # the manifest of the last published run
    mends: Path | None = None
    accept_shrink: frozenset[str] = frozenset()
    withdraw: frozenset[str] = frozenset()
    full: bool = False
    progress: Callable[[str, int, int], None] = lambda step, done, total: None


@dataclass(slots=True)
class Built:
    """What a run made: keys of step outputs by step, facts by source and kind, seconds by step."""

    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)
    match: str = ""
    check: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        """Return the part that the next run starts from."""
        return {"sources": self.sources, "kinds": self.kinds, "match": self.match, "check": self.check}

    def keys(self) -> set[str]:
        """Return the keys of all outputs that this run stands on."""
        found = {self.match, self.check}
        for facts in self.sources.values():
            found |= {facts["intake"], facts["standardise"]}
        for steps in self.kinds.values():
            found |= {steps[name] for name in ("place", "link", "ids", "fuse") if name in steps}
        return found


def build(task: Task) -> Built:
    """Run all steps up to the findings. The caller holds the store's lock."""
    built = Built()
    run = _Run(task, built)
    deliveries = run.look()
    taken = run.intake(deliveries)
    for name in deliveries:
        run.standardise(name, taken.get(name))
    run.match()
    for kind in run.kinds():
        run.gather(kind)
        run.link(kind)
        run.fuse(kind)
    run.check()
    built.facts["peak_mb"] = _peak_mb()
    return built


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class _Run:
    """The steps of one run, in order."""

    def __init__(self, task: Task, built: Built) -> None:
        self.task, self.built, self.store = task, built, task.store
        self.base: Mapping[str, Any] = task.base or {"sources": {}, "kinds": {}, "match": None}
        self.made_at: dict[str, str] = {}

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the block's seconds to ``step``, and note the process's peak of memory after it."""
        start = time.perf_counter()
        yield
        self.built.facts.setdefault("peak_mb_after", {})[step] = _peak_mb()
        self.built.seconds[step] = self.built.seconds.get(step, 0.0) + time.perf_counter() - start

    def look(self) -> dict[str, intake.Delivery | None]:
        """Find what was delivered; a source that delivered nothing keeps its last table, unless it is withdrawn."""
        declared = self.task.declarations.sources
        for name in (*self.task.withdraw, *self.task.accept_shrink):
            if name not in declared:
                raise Problem(
                    "source-unknown", f"No source is called {name}", remedy=f"one of: {', '.join(declared)}"
                )
        found: dict[str, intake.Delivery | None] = {}
        with self.timed("intake"):
            for position, name in enumerate(sorted(declared)):
                self.task.progress("intake", position, len(declared))
                if name not in self.task.withdraw:
                    found[name] = None
            with ThreadPoolExecutor(READERS) as pool:
                looked = {name: pool.submit(intake.look, declared[name], self.task.folder) for name in found}
                found = {name: future.result() for name, future in looked.items()}
        self.made_at = {name: delivery.made_at for name, delivery in found.items() if delivery is not None}
        if not any(found.values()) and not self.base["sources"]:
            raise Problem(
                "nothing-delivered",
                "None of the declared files is there",
                detail=str(self.task.folder),
                remedy="put each department's files in a folder of its name, as the declarations say",
            )
        return found

    def intake(self, deliveries: Mapping[str, intake.Delivery | None]) -> dict[str, tuple[str, Path]]:
        """Read what was delivered, two sources at a time: cutting and unpacking leave the interpreter to others."""
        with self.timed("intake"), ThreadPoolExecutor(READERS) as pool:
            reading = {
                name: pool.submit(intake.intake, delivery, self.store, fresh=self.task.full)
                for name, delivery in deliveries.items()
                if delivery is not None
            }
            return {name: future.result() for name, future in reading.items()}

    def standardise(self, name: str, read: tuple[str, Path] | None) -> None:
        """Make the records of one source; one that delivered nothing keeps its last."""
        source = self.task.declarations.sources[name]
        before = self.base["sources"].get(name)
        if read is None:
            self._late(name, source, before)
            return
        taken, folder = read
        drift = read_json(folder / "facts.json")
        mends = self.task.mends / f"{name}.parquet" if self.task.mends else None
        with self.timed("standardise"):
            self.task.progress("standardise", len(self.built.sources), len(self.task.declarations.sources))
            inputs = standardise.Inputs(
                source, taken, before["standardise"] if before else None, mends, self.task.on,
                name in self.task.accept_shrink,
            )  # fmt: skip
            key, made = standardise.standardise(inputs, self.store, fresh=self.task.full)
            facts = read_json(made / "facts.json")
        self.built.sources[name] = {
            "intake": taken, "standardise": key, "late": False, "department": source.department,
            "title": {"zh": source.title.zh, "en": source.title.en}, "kind": source.kind,
            "made_at": self.made_at.get(name, ""),
            **{item: drift[item] for item in ("files", "unknown", "missing", "notes")},
            **{item: facts[item] for item in _COUNTS},
        }  # fmt: skip

    def _late(self, name: str, source: Source, before: Mapping[str, Any] | None) -> None:
        if before is not None and self.store.find(before["standardise"]):
            self.built.sources[name] = {**before, "late": True}

    def match(self) -> None:
        """Match all distinct addresses."""
        folders = {
            name: self.store.entries / facts["standardise"] for name, facts in self.built.sources.items()
        }
        was = self.base["sources"].items()
        before = {name: self.store.find(facts["standardise"]) for name, facts in was}
        with self.timed("match"):
            self.built.match, folder = place.match(
                folders, self.task.ground, self.store, base_key=self.base["match"], before=before,
                fresh=self.task.full, progress=lambda done, total: self.task.progress("match", done, total),
            )  # fmt: skip
            facts = read_json(folder / "facts.json")
            facts["worked"] *= self.built.match != self.base["match"]
            self.built.facts["addresses"] = {name: facts[name] for name in ("texts", "worked", "placed")}

    def kinds(self) -> list[str]:
        """Return the kinds that have any source."""
        return sorted({facts["kind"] for facts in self.built.sources.values()})

    def gather(self, kind: str) -> None:
        """Bring the records of one kind together, placed."""
        declared = self.task.declarations.sources
        sources = {
            name: (declared[name], str(facts["standardise"]))
            for name, facts in self.built.sources.items()
            if facts["kind"] == kind and name in declared
        }
        with self.timed("place"):
            self.task.progress(f"place {kind}", 0, 1)
            key, folder = place.gather(
                kind, sources, self.built.match, self.task.ground, self.store,
                base_key=self.base["kinds"].get(kind, {}).get("place"), fresh=self.task.full,
            )  # fmt: skip
            shifted = read_json(folder / "facts.json")["shifted"]
        for name, why in shifted.items():
            notes = self.built.sources[name]["notes"]
            self.built.sources[name]["notes"] = [*notes, f"coordinates look like GCJ-02, not WGS-84: {why}"]
        self.built.kinds[kind] = {"place": key}

    def link(self, kind: str) -> None:
        """Find subjects and their ids."""
        steps, before = self.built.kinds[kind], self.base["kinds"].get(kind, {})
        self.task.progress(f"link {kind}", 0, 1)
        if kind not in link.LINKED:
            steps["ids"], folder = link.assign_premises(
                steps["place"], self.store, base_key=before.get("ids"), fresh=self.task.full
            )
            self._count(kind, folder)
            return
        with self.timed("link"):
            steps["link"], _ = link.link(
                kind, steps["place"], self.task.human.decisions, self.store,
                base_key=before.get("link"), fresh=self.task.full,
            )  # fmt: skip
        with self.timed("ids"):
            base_key = before.get("ids")
            steps["ids"], folder = link.assign(
                kind, steps["link"], self.store, base_key=base_key,
                base=self.store.find(base_key) if base_key else None, fresh=self.task.full,
            )  # fmt: skip
            self._count(kind, folder)

    def _count(self, kind: str, folder: Path) -> None:
        facts = read_json(folder / "facts.json")
        self.built.facts.setdefault("subjects", {})[kind] = facts["subjects"]
        self.built.facts.setdefault("churn_per_million", {})[kind] = facts["churn"]

    def fuse(self, kind: str) -> None:
        """Make the golden records of one kind."""
        steps, before = self.built.kinds[kind], self.base["kinds"].get(kind, {})
        with self.timed("fuse"):
            self.task.progress(f"fuse {kind}", 0, 1)
            steps["fuse"], folder = fuse.fuse_kind(
                kind, steps["place"], steps["ids"], self.task.declarations.authority, self._human(steps["ids"]),
                self.task.ground, self.store, base_key=before.get("fuse"), fresh=self.task.full,
            )  # fmt: skip
            facts = read_json(folder / "facts.json")
        self.built.facts.setdefault("conflicts", {})[kind] = facts["conflicts"]
        same = steps["fuse"] == before.get("fuse")
        self.built.facts.setdefault("fused", {})[kind] = 0 if same else facts["worked"]

    def _human(self, *ids_keys: str) -> Human:
        """Return what people decided, under the ids that this run's merges leave."""
        human = self.task.human
        corrections, disputed = human.corrections, human.disputed
        for key in ids_keys:
            redirects = pl.read_parquet(self.store.entries / key / "redirects.parquet")
            merged = redirects.filter(pl.col("how") == "merged")
            renamed = pl.col("subject_id").replace(merged["old"], merged["new"])
            corrections, disputed = corrections.with_columns(renamed), disputed.with_columns(renamed)
        return Human(corrections, disputed, human.decisions)

    def check(self) -> None:
        """Find what does not fit."""
        kinds = {
            kind: (steps["place"], steps["ids"], steps["fuse"]) for kind, steps in self.built.kinds.items()
        }
        departments = {name: source.department for name, source in self.task.declarations.sources.items()}
        human = self._human(*(ids for _, ids, _ in kinds.values()))
        with self.timed("check"):
            self.task.progress("check", 0, 1)
            self.built.check, folder = check.check(
                kinds, self.built.match, human.corrections, departments, self.task.ground, self.store,
                base_key=self.base.get("check"), fresh=self.task.full,
            )  # fmt: skip
            self.built.facts["findings"] = read_json(folder / "facts.json")["findings"]


_COUNTS = (
    "rows",
    "accepted",
    "refused",
    "carried",
    "worked",
    "deleted",
    "absent",
    "warned",
    "warnings",
    "reasons",
)
