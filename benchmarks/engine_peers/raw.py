"""The floor that the disk sets: one event and one state a transaction, in plain SQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path


def prepare(folder: Path) -> Callable[[int], None]:
    """Return the work: so many cases of five steps."""
    db = sqlite3.connect(folder / "raw.sqlite3", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("CREATE TABLE paper (id INTEGER PRIMARY KEY, state TEXT, body TEXT, version INTEGER)")
    db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, paper_id INTEGER, state TEXT, body TEXT)")

    def work(cases: int) -> None:
        for number in range(cases):
            facts = {"department": "market", "label": f"示例商贸有限公司{number}", "amount": 3}
            body, key = json.dumps(facts, ensure_ascii=False), None
            for version, state in enumerate(("received", "accepted", "examined", "approved", "issued"), 1):
                db.execute("BEGIN IMMEDIATE")
                if key is None:
                    key = db.execute(
                        "INSERT INTO paper (state, body, version) VALUES (?, ?, 1)", (state, body)
                    ).lastrowid
                else:
                    db.execute("SELECT state, body FROM paper WHERE id = ?", (key,)).fetchone()
                    db.execute("UPDATE paper SET state = ?, version = ? WHERE id = ?", (state, version, key))
                db.execute("INSERT INTO event (paper_id, state, body) VALUES (?, ?, ?)", (key, state, body))
                db.execute("COMMIT")

    return work
