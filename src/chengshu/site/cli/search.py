"""`chengshu search`: answer a file of queries with the engine and the ranking of the hall's search page."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import orjson

from chengshu.kernel.problems import Problem, Where
from chengshu.site.cli.common import setup_django

KINDS = ("item", "pack", "policy")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("query", required=False)
@click.option("--kind", type=click.Choice(KINDS), default="item", show_default=True, help="What to look for.")
@click.option(
    "--in", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Queries, JSONL."
)
@click.option("--out", "target", type=click.Path(dir_okay=False, path_type=Path), help="Hits, JSONL.")
@click.option(
    "--top", type=click.IntRange(1, 100), default=10, show_default=True, help="Hits a query, best first."
)
def app(query: str | None, kind: str, source: Path | None, target: Path | None, top: int) -> None:
    """Search items, packs or policies in everyday words, pinyin, with typing errors.

    With --in, each line is an object with `query`; each line of --out is an object with `query`, `hits` (a list of
    `code` and `score`, best first) and, where nothing fits, `none: true`; the hits are then the nearest there are.
    With QUERY alone, the hits are printed.
    """
    if (query is None) == (source is None):
        raise Problem("search-call", "Name a QUERY or a file with --in", remedy="chengshu search --help")
    queries = list(_queries(source)) if source else [str(query)]
    setup_django()
    from chengshu.contexts.hall import api as hall

    engine = hall.search_engine(dt.datetime.now(dt.UTC))
    if not engine.index.size:
        raise Problem("no-items", "There are no items here", remedy="chengshu items load FILE.jsonl")
    lines = (_line(text, engine.search(text, kinds=[kind], top=top)) for text in queries)
    if source is None:
        for hit in engine.search(str(query), kinds=[kind], top=top).hits:
            click.echo(f"{hit.score:.3f}  {hit.doc.id}  {hit.doc.title}")
        return
    if target is None:
        sys.stdout.buffer.writelines(lines)
        return
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as out:
        out.writelines(lines)
    part.replace(target)
    click.echo(f"{len(queries)} queries → {target}")


def _queries(path: Path) -> Iterator[str]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                text = row["query"]
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise Problem(
                    "query-unreadable",
                    "Not an object with a query",
                    where=Where(path.name, number, None, "query"),
                ) from error
            if not isinstance(text, str):
                raise Problem(
                    "query-unreadable", "The query is no text", where=Where(path.name, number, None, "query")
                )
            yield text


def _line(text: str, answer: object) -> bytes:
    from chengshu.contexts.hall.api import Answer

    assert isinstance(answer, Answer)
    row: dict[str, object] = {
        "query": text,
        "hits": [{"code": hit.doc.id, "score": round(float(hit.score), 4)} for hit in answer.hits],
    }
    if answer.none:
        row["none"] = True
    return orjson.dumps(row) + b"\n"
