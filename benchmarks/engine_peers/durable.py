"""DBOS on SQLite: a workflow of five steps, each one checkpointed; full sync and WAL as for the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def prepare(folder: Path) -> Callable[[int], None]:
    """Return the work: so many cases of five steps."""
    import sqlalchemy
    from dbos import DBOS
    from sqlalchemy import event

    @event.listens_for(sqlalchemy.engine.Engine, "connect")
    def careful(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
            connection.execute(f"PRAGMA {pragma}")

    address = f"sqlite:///{folder / 'dbos.sqlite3'}"
    DBOS(
        config={
            "name": "bench",
            "system_database_url": address,
            "log_level": "ERROR",
            "run_admin_server": False,
        }
    )

    @DBOS.step()
    def step(facts: dict[str, Any], state: str, data: dict[str, Any]) -> dict[str, Any]:
        if state == "approved" and facts["amount"] < 1:
            raise ValueError("nothing to approve")
        return {**facts, **data, "state": state}

    @DBOS.workflow()
    def five_steps(facts: dict[str, Any]) -> dict[str, Any]:
        facts = step(facts, "received", {})
        facts = step(facts, "accepted", {})
        facts = step(facts, "examined", {"note": "材料齐全"})
        facts = step(facts, "approved", {"approved": True})
        return step(facts, "issued", {})

    DBOS.launch()

    def work(cases: int) -> None:
        for number in range(cases):
            five_steps({"department": "market", "label": f"示例商贸有限公司{number}", "amount": 3})

    return work
