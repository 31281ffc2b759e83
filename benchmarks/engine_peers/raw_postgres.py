"""The floor on PostgreSQL: one event and one state a transaction, in plain SQL with prepared statements."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path


def prepare(folder: Path) -> Callable[[int], None]:
    """Return the work: so many cases of five steps."""
    import psycopg

    db = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=0)
    if not os.environ.get("CHENGSHU_BENCH_READY"):
        db.execute("CREATE TABLE paper (id bigserial PRIMARY KEY, state text, body text, version int)")
        db.execute("CREATE TABLE event (id bigserial PRIMARY KEY, paper_id bigint, state text, body text)")

    def work(cases: int) -> None:
        for number in range(cases):
            facts = {"department": "market", "label": f"示例商贸有限公司{number}", "amount": 3}
            body, key = json.dumps(facts, ensure_ascii=False), None
            for version, state in enumerate(("received", "accepted", "examined", "approved", "issued"), 1):
                with db.transaction():
                    if key is None:
                        (key,) = db.execute(
                            "INSERT INTO paper (state, body, version) VALUES (%s, %s, 1) RETURNING id",
                            (state, body),
                        ).fetchone()
                    else:
                        db.execute(
                            "SELECT state, body FROM paper WHERE id = %s FOR UPDATE", (key,)
                        ).fetchone()
                        db.execute(
                            "UPDATE paper SET state = %s, version = %s WHERE id = %s", (state, version, key)
                        )
                    db.execute(
                        "INSERT INTO event (paper_id, state, body) VALUES (%s, %s, %s)", (key, state, body)
                    )

    return work
