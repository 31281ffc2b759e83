"""Intake of one source: find its files, read them as text, hold the header against the declaration.

Output of the step: ``rows.parquet`` (declared columns as text, file, row number, digest of the row),
``refused.parquet`` (rows that could not be cut or decoded) and ``facts.json`` (counts, encodings, drift).
"""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from chengshu.batch.declarations import Source
from chengshu.batch.pipeline import readers
from chengshu.batch.pipeline.encoding import Scan, scan
from chengshu.batch.pipeline.store import Store, write_json
from chengshu.kernel.canonical import digest
from chengshu.kernel.problems import Problem, Where

# Row digests come from polars and hold within one version of it: another version reads everything again.
VERSION = f"1/{pl.__version__}"
SEED = 20231123
REFUSED = {
    "file": pl.String, "row": pl.Int64, "field": pl.String, "code": pl.String, "raw": pl.String, "hash": pl.UInt64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files of one source as they lie there now."""

    source: Source
    files: tuple[Path, ...]
    scans: tuple[Scan, ...]

    @property
    def digest(self) -> str:
        """Digest of names and contents; a SQL table is digested by its rows."""
        return digest([[path.name, found.digest] for path, found in zip(self.files, self.scans, strict=True)])

    @property
    def made_at(self) -> str:
        """When the oldest of the files was written, in UTC; empty for a SQL table, which is asked anew each time.

        Tables travel with the time of their making (``rsync -t`` and archives keep it): building again makes none newer.
        """
        written = [path.stat().st_mtime for path in self.files]
        return (
            dt.datetime.fromtimestamp(min(written), dt.UTC).isoformat(timespec="seconds") if written else ""
        )


def find_files(source: Source, folder: Path) -> list[Path]:
    """Return the source's files under ``<folder>/<department>`` or ``<folder>``, in the order of their names."""
    pattern = source.file or ""
    for place in (folder / source.department, folder):
        if place.is_dir():
            # A glob never leaves the folder it was declared for.
            found = [
                path for path in place.iterdir() if path.is_file() and fnmatch.fnmatch(path.name, pattern)
            ]
            if found:
                return sorted(found)
    return []


def look(source: Source, folder: Path) -> Delivery | None:
    """Find and digest what a source delivered; None when nothing is there."""
    if source.sql is not None:
        return Delivery(source, (), ())
    files = find_files(source, folder)
    if not files:
        return None
    for path in files:
        if path.suffix.lower() not in readers.ENDINGS:
            raise Problem(
                "file-kind",
                f"Files ending in '{path.suffix}' are not read",
                where=Where(file=str(path)),
                remedy=f"deliver one of: {', '.join(readers.ENDINGS)}",
            )
    return Delivery(source, tuple(files), tuple(scan(path, source.encoding) for path in files))


def declaration_digest(source: Source) -> str:
    """Digest of everything in a declaration that changes what its rows become."""
    fields = asdict(source)
    fields.pop("path")
    fields["rules"] = [{key: _plain(value) for key, value in rule.items()} for rule in fields["rules"]]
    return digest(fields)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, float) else value


def intake(delivery: Delivery, store: Store, *, fresh: bool = False) -> tuple[str, Path]:
    """Read a delivery into the store; an unchanged one is not read again."""
    source = delivery.source
    if source.sql is not None:
        return _intake_sql(delivery, store)
    key = store.key(f"intake:{source.name}", VERSION, delivery.digest, declaration_digest(source))
    found = None if fresh else store.find(key)
    if found is None:
        with store.making(key) as folder:
            _take_in(delivery, folder)
    return key, store.entries / key


def _intake_sql(delivery: Delivery, store: Store) -> tuple[str, Path]:
    """A query has no bytes to compare: it is read, and what it gave names the output."""
    source = delivery.source
    with store.making(store.key(f"intake:{source.name}", "sql")) as folder:
        _take_in(delivery, folder)
        rows = pl.read_parquet(folder / "rows.parquet", columns=["hash"])
        content = digest([rows.height, str(rows["hash"].sum()), str(rows["hash"].hash(SEED).sum())])
    aside = store.entries / store.key(f"intake:{source.name}", "sql")
    key = store.key(f"intake:{source.name}", VERSION, content, declaration_digest(source))
    if store.find(key) is None:
        aside.rename(store.entries / key)
    return key, store.entries / key


def _take_in(delivery: Delivery, folder: Path) -> None:
    source = delivery.source
    writer = _Writer(folder / "rows.parquet", source)
    refused: list[dict[str, Any]] = []
    facts: dict[str, Any] = {"files": [], "unknown": [], "missing": [], "notes": []}
    for name, size, frames, reading in _readings(delivery):
        rows = 0
        for frame in frames:
            writer.write(frame, name)
            rows += frame.height
        if not reading.header:
            raise Problem("table-empty", "The table has no columns", where=Where(file=name))
        refused += [{"file": name, **asdict(item)} for item in reading.refused]
        facts["files"].append({
            "name": name, "size": size, "rows": rows + len(reading.refused), "encodings": sorted(reading.encodings),
        })  # fmt: skip
        facts["notes"] += [f"{name}: {note}" for note in reading.notes]
        if len(reading.encodings) > 1:
            facts["notes"].append(f"{name}: mixed encodings ({', '.join(sorted(reading.encodings))})")
        for kind, names in writer.drift(reading.header).items():
            facts[kind] = sorted({*facts[kind], *names})
    writer.close()
    table = pl.DataFrame(refused, schema={k: v for k, v in REFUSED.items() if k != "hash"})
    table.with_columns(pl.col("raw").hash(SEED).alias("hash")).write_parquet(folder / "refused.parquet")
    facts["rows"] = sum(item["rows"] for item in facts["files"])
    write_json(folder / "facts.json", facts)


def _readings(delivery: Delivery) -> Iterator[tuple[str, int, Iterator[pl.DataFrame], readers.Reading]]:
    if delivery.source.sql is not None:
        reading = readers.Reading()
        yield "sql", 0, readers.read_sql(delivery.source, reading), reading
    for path, found in zip(delivery.files, delivery.scans, strict=True):
        reading = readers.Reading()
        yield path.name, found.size, readers.read_file(path, delivery.source, found, reading), reading


class _Writer:
    """Writes frames under the declared names, with file, row number and digest of the row."""

    def __init__(self, path: Path, source: Source) -> None:
        self.source, self.path = source, path
        names = [column.name for column in source.columns]
        names += [*source.key, *([source.updated] if source.updated else [])]
        names += [source.deleted_flag[0]] if source.deleted_flag else []
        self.names = list(dict.fromkeys(names))
        schema = {
            **dict.fromkeys(self.names, pl.String),
            "_file": pl.String,
            "_row": pl.Int64,
            "hash": pl.UInt64,
        }
        self.empty = pl.DataFrame(schema=schema)
        self.writer = pq.ParquetWriter(
            path, self.empty.to_arrow().schema, compression="zstd", compression_level=1
        )

    def drift(self, header: list[str]) -> dict[str, list[str]]:
        """Compare a header with the declaration; a missing required column stops the build."""
        mapping = self._mapping(header)
        lacking = [name for name in self.source.required_columns() if name not in mapping.values()]
        if lacking:
            raise Problem(
                "column-missing",
                f"{self.source.name}: the column {', '.join(lacking)} is missing",
                detail=f"the table has: {', '.join(header)}",
                where=Where(file=self.source.path, field=lacking[0]),
                remedy="ask the department for the column, or add its new name under 'aliases' in the declaration",
            )
        known = self.source.known_columns()
        return {
            "unknown": [name for name in header if name not in mapping and name not in known],
            "missing": [name for name in self.names if name not in mapping.values()],
        }

    def _mapping(self, header: list[str]) -> dict[str, str]:
        """Return delivered name → declared name, by name, alias, or either in another case."""
        wanted = {name: name for name in self.names}
        for column in self.source.columns:
            wanted.update(dict.fromkeys(column.aliases, column.name))
        folded = {name.casefold().strip(): declared for name, declared in wanted.items()}
        mapping: dict[str, str] = {}
        for name in header:
            declared = wanted.get(name) or folded.get(name.casefold().strip())
            if declared and declared not in mapping.values():
                mapping[name] = declared
        return mapping

    def write(self, frame: pl.DataFrame, file: str) -> None:
        """Append one frame."""
        header = [name for name in frame.columns if name != "_row"]
        self.drift(header)
        mapping = self._mapping(header)
        frame = frame.select("_row", *mapping).rename(mapping)
        for name in self.names:
            if name not in frame.columns:
                frame = frame.with_columns(pl.lit("").alias(name))
        frame = frame.with_columns(pl.col(self.names).fill_null(""))
        digests = frame.select(sorted(self.names)).hash_rows(SEED)
        frame = frame.with_columns(pl.lit(file).alias("_file"), digests.alias("hash"))
        self.writer.write_table(
            frame.select(self.empty.columns).to_arrow().cast(self.empty.to_arrow().schema)
        )

    def close(self) -> None:
        """Finish the file; an empty delivery leaves an empty table."""
        self.writer.close()
