"""The index of words: finds the few cases among a million whose label or area holds a text, on both databases.

A text is kept as its pairs of neighbouring characters: Chinese has no spaces, and most of its words have two characters,
which trigrams cannot find. SQLite keeps the pairs in FTS5, PostgreSQL in a GIN index. The clock indexes new cases; until
then they are looked through one by one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from django.db import transaction

from chengshu.contexts.cases.sql import Unit, sql

# More hits than this, and a list is faster walked in its own order.
MOST = 500
# New cases that are looked through one by one at most.
MOST_NEW = 2_000
_NEW = "SELECT id, label, area FROM cases_case WHERE NOT searchable ORDER BY id LIMIT %s"
# Many cases have no subject or no cell: SQLite's planner takes that for a reason to read the whole table.
_EXACT = (
    "SELECT id FROM cases_case WHERE id = %s UNION SELECT id FROM cases_case {subject} WHERE subject_id = %s "
    "UNION SELECT id FROM cases_case {cell} WHERE cell_code = %s LIMIT %s"
)
_BY_INDEX = {"subject": "INDEXED BY case_by_subject", "cell": "INDEXED BY case_by_cell"}


def folded(text: str) -> str:
    """Return a text as it is compared: one form for full and half width, no capitals."""
    return unicodedata.normalize("NFKC", text).casefold()


def pairs(text: str) -> list[str]:
    """Return the pairs of neighbouring letters and digits of a text, each once; a lone one stands for itself."""
    found: dict[str, None] = {}
    for run in "".join(sign if sign.isalnum() else " " for sign in folded(text)).split():
        found.update(
            dict.fromkeys([run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)])
        )
    return list(found)


def index_words(limit: int = 20_000) -> int:
    """Index cases that are new or were named anew; returns how many. A case indexed twice is only found twice."""
    with Unit() as db:
        new = db.run(_NEW, (limit,)).fetchall()
        rows = [(case_id, pairs(f"{label} {area}")) for case_id, label, area in new]
        if db.sqlite:
            db.run_many(
                "INSERT INTO cases_words (case_id, pairs) VALUES (%s, %s)",
                [(case_id, " ".join(found)) for case_id, found in rows],
            )
        else:
            db.run_many(
                "INSERT INTO cases_words (case_id, pairs) VALUES (%s, array_to_tsvector(%s::text[])) "
                "ON CONFLICT (case_id) DO UPDATE SET pairs = EXCLUDED.pairs",
                rows,
            )
        db.run_many(
            "UPDATE cases_case SET searchable = %s WHERE id = %s", [(True, case_id) for case_id, _ in rows]
        )
    return len(rows)


def cases_with(text: str) -> list[str] | None:
    """Return the cases that may hold a text or bear it as a number; ``None`` when they are too many to list."""
    wanted = pairs(text)
    if not wanted or any(len(pair) < 2 for pair in wanted):
        return None
    indexed = _indexed(wanted)
    if len(indexed) > MOST:
        return None
    db, number, part = sql(), text.strip().upper(), folded(text.strip())
    new = db.run(_NEW, (MOST_NEW,)).fetchall()
    hints = _BY_INDEX if db.sqlite else {"subject": "", "cell": ""}
    exact = db.run(_EXACT.format(**hints), (number, number, number, MOST)).fetchall()
    found = {
        *indexed,
        *(case_id for (case_id,) in exact),
        *(case_id for case_id, label, area in new if part in folded(label) or part in folded(area)),
    }
    return sorted(found) if len(found) <= MOST else None


def _indexed(wanted: Sequence[str]) -> list[str]:
    db = sql()
    if db.sqlite:
        match = " ".join(f'"{pair}"' for pair in wanted)
        found = db.run(
            "SELECT case_id FROM cases_words WHERE cases_words MATCH %s LIMIT %s", (match, MOST + 1)
        )
        return [case_id for (case_id,) in found.fetchall()]
    query = " & ".join(f"'{pair}'" for pair in wanted)
    with transaction.atomic():
        # A pair that stands in every case need not be counted to the end: too many is too many.
        db.run("SET LOCAL gin_fuzzy_search_limit = 4000")
        found = db.run(
            "SELECT case_id FROM cases_words WHERE pairs @@ %s::tsquery LIMIT %s", (query, MOST + 1)
        )
        return [case_id for (case_id,) in found.fetchall()]
