"""Case steps: the pure ``advance()``, durable steps and bulk openings, beside raw SQLite on the same disk in the same run.

A durable step is everything that a page causes: roles, form, guards, decision table, event, projection, term, tasks and
ledger leaf in one transaction with full sync. The raw peer writes one event and one state in one transaction: the floor
that the disk sets. django-fsm-2 reached 0.23 of such a peer on the machine where the goals were set (1,130 of 4,970);
`engines.py` runs it and others beside ours.
Each figure is the best of rounds that take turns, so that a busy neighbour hits ours and the peer alike.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "cases"
NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
ROUNDS = 5
FACTS = {
    "kind": "firm-address",
    "subject_id": "F000000017",
    "subject_label": "示例商贸有限公司",
    "element": "firm.address",
    "element_label": "经营地址",
    "values": [
        {"value": "新安街道创业一路12号3栋503", "source": "market.firms"},
        {"value": "新安街道甲岸路25号1栋101", "source": "tax.taxpayers"},
    ],
    "address": "新安街道创业一路12号3栋503",
    "area": "新安街道",
}
GOALS = {
    "advance, guard compiled": 60_000,
    "advance, decision table": 5_000,
    "durable steps": 1_700,
    "openings in bulk, fourteen facts": None,
    "openings in bulk, three facts, no decision table": 10_000,
}


def rate(number: int, work: Callable[[], Any]) -> float:
    """Return how many a second."""
    started = time.perf_counter()
    work()
    return number / (time.perf_counter() - started)


class Raw:
    """The peer: one event and one state a transaction, nothing else."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("CREATE TABLE state (id INTEGER PRIMARY KEY, state TEXT, version INTEGER)")
        self.connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, case_id INTEGER, body TEXT)")
        self.connection.execute("INSERT INTO state VALUES (1, 'open', 0)")

    def steps(self, number: int) -> None:
        """Take so many steps."""
        body = json.dumps(FACTS, ensure_ascii=False)
        for _ in range(number):
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute("INSERT INTO event (case_id, body) VALUES (1, ?)", (body,))
            self.connection.execute("UPDATE state SET version = version + 1 WHERE id = 1")
            self.connection.execute("COMMIT")


def measure_advance(number: int) -> dict[str, float]:
    """Return the rates of the pure engine."""
    from chengshu.kernel.resources import shipped
    from chengshu.procedure.case import Case
    from chengshu.procedure.loader import load_pack
    from chengshu.procedure.machine import MACHINE, Command, advance, begin
    from chengshu.procedure.ports import Actor

    finding = load_pack(shipped("packs", "cn", "department-finding"))
    grid = load_pack(shipped("packs", "cn", "grid-verification"))
    operator = Actor("3", "刘伟", frozenset({"supervisor"}))
    worker = Actor("7", "陈志强", frozenset({"worker"}))
    routing = Case(
        "C1",
        finding.id,
        state="routing",
        version=2,
        facts={"finding": "unlicensed"},
        kept={"department": "market"},
    )
    visit = begin(grid, "C1", FACTS, MACHINE, NOW).case
    route = Command("route", operator, {"to_department": "fire"})
    again = Command("cannot_verify", worker, {"reason": "nobody-home"})

    def many(pack: Any, case: Any, command: Any) -> Callable[[], None]:
        def work() -> None:
            for _ in range(number):
                advance(pack, case, command, {}, NOW)

        return work

    return {
        "advance, guard compiled": rate(number, many(finding, routing, route)),
        "advance, decision table": rate(number, many(grid, visit, again)),
    }


def measure(folder: Path, steps: int, bulk: int, pure: int) -> dict[str, float]:
    """Run all rounds in this process, whose CHENGSHU_VAR is ``folder``; returns the best of each."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", skip_checks=True, verbosity=0)
    from chengshu.contexts.cases import api, store
    from chengshu.contexts.cases.domain import account_owner
    from chengshu.contexts.cases.models import Task
    from chengshu.contexts.identity import api as identity
    from chengshu.kernel.resources import shipped

    api.load_pack_version(shipped("packs", "cn", "grid-verification"), NOW)
    api.load_pack_version(Path(__file__).parent / "packs" / "five-steps", NOW)
    identity.save_department("grid-office", "网格办", "Grid Office")
    worker = identity.save_account("w", display_name="陈志强", role="grid_worker", department="grid-office")
    raw = Raw(folder / "raw.sqlite3")
    best: dict[str, float] = {}
    for number in range(ROUNDS):
        openings = [api.Opening(FACTS, f"{number}:{n}") for n in range(bulk)]
        found: dict[str, float] = {}
        made: list[str] = []

        def open_all(openings: list[Any] = openings, made: list[str] = made) -> None:
            made.extend(api.open_many("grid-verification", openings, now=NOW).case_ids.values())

        found["openings in bulk, fourteen facts"] = rate(bulk, open_all)
        facts = [{"department": "market", "subject_label": f"示例{n}", "amount": 1} for n in range(bulk)]
        few = [api.Opening(each, f"{number}:few:{n}", None, None, "market") for n, each in enumerate(facts)]
        found["openings in bulk, three facts, no decision table"] = rate(
            bulk, lambda few=few: api.open_many("five-steps", few, now=NOW)
        )
        Task.objects.filter(open=True).update(owner=account_owner(worker.pk))
        chosen = made[: steps // 2]

        def work(chosen: list[str] = chosen) -> None:
            for case_id in chosen:
                store.command(
                    case_id,
                    "cannot_verify",
                    {"reason": "nobody-home"},
                    actor=worker,
                    now=NOW,
                    idempotency_key="a",
                )
                store.command(case_id, "withdraw", {"run_id": "R2"}, actor=None, now=NOW, idempotency_key="b")

        found["durable steps"] = rate(2 * len(chosen), work)
        found["raw"] = rate(steps, lambda: raw.steps(steps))
        found |= measure_advance(pure)
        best = {name: max(value, best.get(name, 0.0)) for name, value in found.items()}
    return best


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Measure in a process of its own, in a fresh folder."""
    sizes = ["200", "500", "2000"] if small else ["2000", "10000", "20000"]
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "CHENGSHU_VAR": folder, "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}
        env.pop("DATABASE_URL", None)
        done = subprocess.run(
            [sys.executable, __file__, "--measure", folder, *sizes],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
    best = json.loads(done.stdout.splitlines()[-1])
    raw = best.pop("raw")
    rows = []
    for what, goal in GOALS.items():
        durable = what in ("durable steps",)
        rows.append(
            {
                "what": f"{what}, a second",
                "ours": round(best[what]),
                "peer": round(raw) if durable else None,
                "peer_name": "raw SQLite, one event a transaction" if durable else None,
                "ratio": round(best[what] / raw, 2) if durable else None,
                "goal": goal,
                "reached": best[what] >= goal if goal else None,
            }
        )
    return {"name": NAME, "rows": rows}


if __name__ == "__main__":
    if "--measure" in sys.argv:
        place = sys.argv.index("--measure")
        numbers = [int(word) for word in sys.argv[place + 2 : place + 5]]
        print(json.dumps(measure(Path(sys.argv[place + 1]), *numbers)))
    else:
        print(json.dumps(run(small="--small" in sys.argv), indent=2, ensure_ascii=False))
