"""Search over the 2,262 service items: layman's questions, first five; beside BM25 over jieba's words and over character bigrams."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "search: layman's questions over service items"
GOAL_HIT, GOAL_MS = 0.80, 30
TOP = 5
QUERIES = Path(__file__).with_name("queries")
Finder = Callable[[str], list[str]]


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Return the rows; not run without the items or without the peers."""
    path = shared / "service_items" / "guangdong_items.jsonl" if shared else None
    if path is not None and not path.exists():
        path = shared / "data" / "service_items" / "guangdong_items.jsonl"
    if path is None or not path.exists():
        return {"not_run": "the 2,262 items are not here (../shared/data/service_items)"}
    if any(importlib.util.find_spec(name) is None for name in ("bm25s", "jieba")):
        return {"not_run": "the peers bm25s and jieba are not installed (make setup-bench)"}
    from chengshu.contexts.hall.items.elements import read_lines
    from chengshu.contexts.hall.search.engine import Engine, item_doc

    begun = time.perf_counter()
    bodies = [body for _line, body in read_lines(path, lambda where, text: None)]
    engine = Engine.build([item_doc(body) for body in bodies])
    built = time.perf_counter() - begun
    own: Finder = lambda query: [hit.doc.id for hit in engine.search(query, kinds=["item"], top=TOP).hits]  # noqa: E731
    peers = {
        "BM25 over jieba's words": words_peer(bodies),
        "BM25 over character bigrams": bigrams_peer(bodies),
    }
    rows: list[dict[str, Any]] = [{"what": f"read and index {len(bodies)} items, seconds", "ours": built}]
    given = os.environ.get("CHENGSHU_BENCH_QUERIES")
    paths = [Path(given)] if given else sorted(QUERIES.glob("*.jsonl"))
    for each in paths[:1] if small else paths:
        queries = [json.loads(line) for line in each.read_text(encoding="utf-8").splitlines() if line.strip()]
        rows += of_file(each.stem, queries, engine, own, peers)
    return {"rows": rows}


def of_file(
    name: str, queries: list[dict[str, Any]], engine: Any, own: Finder, peers: dict[str, Finder]
) -> list[dict[str, Any]]:
    """Return the rows of one file of queries."""
    rows = []
    answerable = [query for query in queries if query["gold"]]
    ours = hits(answerable, own)
    for peer, find in peers.items():
        theirs = hits(answerable, find)
        what = f"{name}: hit among the first five, {len(answerable)} questions (peer: {peer})"
        rows.append(
            {
                "what": what,
                "ours": ours,
                "peer": theirs,
                "ratio": ours / theirs if theirs else None,
                "goal": GOAL_HIT,
            }
        )
    for kind in sorted({query["kind"] for query in answerable}):
        part = [query for query in answerable if query["kind"] == kind]
        rows.append({"what": f"  {kind}, {len(part)}", "ours": hits(part, own)})
    none = [query for query in queries if not query["gold"]]
    if none:
        told = sum(engine.search(query["query"], kinds=["item"]).none for query in none) / len(none)
        rows.append({"what": f"  without an answer, told so, {len(none)}", "ours": told})
        wrong = sum(engine.search(query["query"], kinds=["item"]).none for query in answerable) / len(
            answerable
        )
        rows.append({"what": "  with an answer, told that there is none", "ours": wrong})
    rows.append(
        {
            "what": f"{name}: milliseconds a query, 95th percentile",
            "ours": slowest(queries, own),
            "goal": f"≤ {GOAL_MS}",
        }
    )
    return rows


def hits(queries: list[dict[str, Any]], find: Finder) -> float:
    """Return the share of queries with a gold item among the first five."""
    return sum(bool({*query["gold"]} & {*find(query["query"])}) for query in queries) / len(queries)


def slowest(queries: list[dict[str, Any]], find: Finder) -> float:
    """Return the 95th percentile in milliseconds."""
    times = []
    for query in queries:
        begun = time.perf_counter()
        find(query["query"])
        times.append(1000 * (time.perf_counter() - begun))
    return sorted(times)[int(0.95 * (len(times) - 1))]


def words_peer(bodies: list[dict[str, Any]]) -> Finder:
    """Return BM25 over the words that jieba cuts."""
    import jieba

    jieba.setLogLevel(60)
    return bm25(bodies, lambda text: [word for word in jieba.lcut(text) if word.strip()])


def bigrams_peer(bodies: list[dict[str, Any]]) -> Finder:
    """Return BM25 over pairs of neighbouring characters."""
    return bm25(bodies, lambda text: [text[at : at + 2] for at in range(len(text) - 1)])


def bm25(bodies: list[dict[str, Any]], cut: Callable[[str], list[str]]) -> Finder:
    """Return a search by bm25s over name, conditions, materials and department."""
    import bm25s

    texts = [
        " ".join(
            [body["name"], body["department_name"], body["conditions"], *body["materials"], *body["aliases"]]
        )
        for body in bodies
    ]
    index = bm25s.BM25()
    index.index([cut(text) for text in texts], show_progress=False)

    def find(query: str) -> list[str]:
        tokens = [token for token in cut(query) if token in index.vocab_dict]
        if not tokens:
            return []
        found, _scores = index.retrieve([tokens], k=TOP, show_progress=False)
        return [bodies[int(number)]["code"] for number in found[0]]

    return find
