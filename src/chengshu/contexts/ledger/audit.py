"""Offline verification: is every row what was signed, and does nothing that was signed miss? No Django here.

What it compares, from the weakest to the strongest evidence:

1. the rows with the tiles: names each row that was changed, removed, exchanged or put in;
2. both with the signed checkpoint and the chain of the log's keys;
3. with every cosigned checkpoint on file, and with what lies outside (``against``): a checkpoint kept
elsewhere, or a
   witness's folder. These hold even when the host's key was stolen and rows, tiles and checkpoint were
   rewritten.

Where a witness kept the leaf hashes, the very row is named; with checkpoints only, the span between the last
good and the first bad one.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chengshu.contexts.ledger.chunks import CHUNK, Chunk, check_chunks
from chengshu.contexts.ledger.domain import (
    KEY_KIND,
    Finding,
    LogKey,
    Report,
    Row,
    key_for,
    leaf_text,
    open_checkpoint,
    parse_keys,
    parse_leaf,
)
from chengshu.contexts.ledger.sources import BundleSource, Source
from chengshu.contexts.ledger.tiles import HEIGHT, WIDTH, TileStore
from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.signed_note import Checkpoint, Note, Verifier, parse_verifier

MOST_NAMED = 1000


@dataclass(slots=True)
class Outside:
    """Evidence from outside the log's host: a head, and the leaf hashes where a witness kept them."""

    name: str
    note: Note
    head: Checkpoint
    hashes: bytes = b""
    history: list[tuple[Note, Checkpoint]] = field(default_factory=list)
    verifier: Verifier | None = None


@dataclass(slots=True)
class Case:
    """All that one verification looks at."""

    source: Source
    tiles: TileStore
    note: str
    keys: Sequence[LogKey]
    witnesses: Sequence[Verifier] = ()
    history: Sequence[str] = ()
    outside: Sequence[Outside] = ()
    log_size: int | None = None
    processes: int = 1
    progress: Callable[[int], None] | None = None


def audit(case: Case) -> Report:
    """Verify and return what is wrong; an empty list of findings means that the ledger holds."""
    started = time.perf_counter()
    note, head = open_checkpoint(case.note)
    report = Report(head.size, head.root.hex())
    _check_signatures(case, note, head, report)
    tree = _Tree(case, head.size, report)
    root = tree.root(head.size) if tree.whole else None
    if root is not None and root != head.root:
        text = f"the rows give another root than the signed checkpoint of {head.size} leaves"
        report.findings.append(Finding("root", text))
    end = case.source.end()
    if case.log_size is not None and end > max(case.log_size, head.size):
        _name_extra(case, max(case.log_size, head.size), end, report)
    _check_keys(case, tree, report)
    _check_history(case, tree, report)
    for outside in case.outside:
        _check_outside(case, tree, outside, head, report)
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def read_outside(path: Path) -> Outside:
    """Read evidence from a checkpoint file, or from a witness's folder."""
    if not path.is_dir():
        try:
            note, head = open_checkpoint(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise Problem(
                "file-missing", "The checkpoint is not there", where=Where(file=str(path))
            ) from error
        return Outside(path.name, note, head)
    try:
        note, head = open_checkpoint((path / "checkpoint").read_text(encoding="utf-8"))
        verifier = parse_verifier((path / "witness.pub").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Problem(
            "witness-folder", "This is no folder of a witness that has cosigned", where=Where(file=str(path))
        ) from error
    history = (path / "history.txt").read_text(encoding="utf-8").split("\f\n")[:-1]
    held = path / "hashes.bin"
    hashes = held.read_bytes()[: head.size * 32] if held.exists() else b""
    return Outside(verifier.name, note, head, hashes, [open_checkpoint(text) for text in history], verifier)


class _Tree:
    """The tree over the rows, folded from checked chunks; any head within it can be computed."""

    def __init__(self, case: Case, size: int, report: Report) -> None:
        self.case, self.size, self.suite = case, size, case.tiles.suite
        self.nodes: list[bytes] = []
        self.tail: list[bytes] = []
        self.whole = True
        for chunk in check_chunks(case.source, case.tiles, size, case.processes):
            if case.progress is not None:
                case.progress(chunk.stop - chunk.start)
            if not chunk.good:
                self.whole = _name_rows(case, chunk, report) and self.whole
            self.nodes += [chunk.nodes[at : at + 32] for at in range(0, len(chunk.nodes), 32)]
            self.tail = [chunk.tail[at : at + 32] for at in range(0, len(chunk.tail), 32)]
        if self.whole:
            self._check_upper_tiles(report)

    def root(self, size: int) -> bytes:
        """Return the head over the first ``size`` rows."""
        if size == 0:
            return self.suite.empty
        return merkle.range_root(0, size, self._node, self.suite)

    def leaf_hashes(self, start: int, stop: int) -> list[bytes]:
        """Return the hashes of the rows at ``start`` … ``stop`` - 1."""
        texts = self.case.source.texts(start, stop)
        return merkle.leaf_hashes([merkle.LEAF + text for text in texts], self.suite)

    def _node(self, level: int, index: int) -> bytes:
        if level >= HEIGHT:
            width = 1 << level - HEIGHT
            return merkle.complete_root(self.nodes[index * width : (index + 1) * width], self.suite)
        first = index << level
        base = len(self.nodes) * WIDTH
        if first >= base:
            return merkle.complete_root(self.tail[first - base : first - base + (1 << level)], self.suite)
        return merkle.complete_root(self.leaf_hashes(first, first + (1 << level)), self.suite)

    def _check_upper_tiles(self, report: Report) -> None:
        level, nodes = 1, self.nodes
        while nodes:
            for number in range(-(-len(nodes) // WIDTH)):
                part = b"".join(nodes[number * WIDTH : (number + 1) * WIDTH])
                if self.case.tiles.level(level, number, len(part) // 32) != part:
                    report.findings.append(
                        Finding("tile", f"tile {number} of level {level} is damaged or missing")
                    )
            whole = len(nodes) // WIDTH
            nodes = [
                merkle.complete_root(nodes[number * WIDTH : (number + 1) * WIDTH], self.suite)
                for number in range(whole)
            ]
            level += 1


def _check_signatures(case: Case, note: Note, head: Checkpoint, report: Report) -> None:
    key = key_for(case.keys, head.size).verifier
    try:
        signed = note.signed_by([key])
    except Problem as problem:
        report.findings.append(Finding("signature", str(problem)))
        return
    if not signed or head.origin != key.name:
        report.findings.append(Finding("signature", f"the checkpoint is not signed by the log's key {key}"))
    report.trust.append(f"signed by {key.name} ({key.key_id.hex()})")
    try:
        cosigned = note.signed_by(case.witnesses)
    except Problem as problem:
        report.findings.append(Finding("cosignature", str(problem)))
        return
    for verifier, at in cosigned:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        report.trust.append(f"cosigned by {verifier.name} ({verifier.key_id.hex()}) at {stamp}")


def _name_rows(case: Case, chunk: Chunk, report: Report) -> bool:
    """Name what differs between rows and tiles in one chunk; returns whether all rows are there."""
    suite = case.tiles.suite
    found: dict[int, Row] = dict(case.source.rows(chunk.start, chunk.stop))
    signed = _signed_hashes(case, chunk)
    hashes = {position: merkle.leaf_hash(leaf_text(row).encode(), suite) for position, row in found.items()}
    home = {value: position for position, value in signed.items()}
    named = 0
    for position in range(chunk.start, chunk.stop):
        expected = signed.get(position)
        if hashes.get(position) == expected:
            continue
        named += 1
        if named <= MOST_NAMED:
            report.findings.append(
                _name_row(case, position, found.get(position), hashes.get(position), expected, home)
            )
    if named > MOST_NAMED:
        report.findings.append(
            Finding("more", f"{named - MOST_NAMED} more rows from {chunk.start} to {chunk.stop}")
        )
    return len(found) == chunk.stop - chunk.start


def _signed_hashes(case: Case, chunk: Chunk) -> dict[int, bytes]:
    """Return the leaf hashes that the tiles hold; tiles that are gone hold none."""
    held: dict[int, bytes] = {}
    for first in range(chunk.start, chunk.stop, WIDTH):
        width = min(WIDTH, chunk.stop - first)
        data = case.tiles.level(0, first // WIDTH, width)
        held.update({first + n: data[n * 32 : n * 32 + 32] for n in range(len(data) // 32)})
    return held


def _name_row(
    case: Case,
    position: int,
    row: Row | None,
    hashed: bytes | None,
    signed: bytes | None,
    home: dict[bytes, int],
) -> Finding:
    if row is None:
        lost = _entry(case, position, signed)
        text = f"row {position} is missing" + (f"; it was {lost.kind} of {lost.reference}" if lost else "")
        return _finding("missing", text, position, lost)
    if signed is None:
        return _finding("tile", f"the tile of row {position} is missing", position, row)
    if hashed in home:
        text = f"row {position} stands in the wrong place: it was signed as row {home[hashed]}"
        return _finding("reordered", text, position, row)
    was = _entry(case, position, signed)
    if was is None:
        return _finding("changed", f"row {position} was changed, or its tile was", position, row)
    names = ("id", "kind", "reference", "time", "digest")
    parts = [name for name, old, new in zip(names, was, row, strict=True) if old != new]
    return _finding("changed", f"row {position} was changed: {', '.join(parts) or 'its tile'}", position, row)


def _finding(code: str, text: str, position: int, row: Row | None) -> Finding:
    if row is None:
        return Finding(code, text, position)
    return Finding(code, text, position, row.id, row.kind, row.reference)


def _entry(case: Case, position: int, signed: bytes | None) -> Row | None:
    """Return what the entry bundle says of a row, if it is what was signed."""
    try:
        text = next(iter(case.tiles.entries(position, position + 1)))
        if merkle.leaf_hash(text, case.tiles.suite) != signed:
            return None
        return parse_leaf(text.decode(errors="replace"))
    except (Problem, StopIteration):
        return None


def _name_extra(case: Case, start: int, end: int, report: Report) -> None:
    for position, row in case.source.rows(start, min(end, start + MOST_NAMED)):
        text = f"row {position} lies beyond the log: the sequencer never numbered it"
        report.findings.append(_finding("extra", text, position, row))


def _check_keys(case: Case, tree: _Tree, report: Report) -> None:
    """Every key but the first stands in an entry under a checkpoint that the key before it has signed."""
    if not tree.whole:
        return
    notes = {head.size: note for note, head in map(open_checkpoint, case.history)}
    for before, key in zip(case.keys, case.keys[1:], strict=False):
        note = notes.get(key.since)
        announced = key.since <= tree.size and any(
            row.kind == KEY_KIND and row.reference == str(key.verifier)
            for _, row in case.source.rows(max(key.since - CHUNK, 0), key.since)
        )
        if note is None or not announced or not note.signed_by([before.verifier]):
            text = f"the key {key.verifier.key_id.hex()} was not announced under the key before it"
            report.findings.append(Finding("key", text))


def _check_history(case: Case, tree: _Tree, report: Report) -> None:
    """Compare with the cosigned checkpoints on file: a thief of the log's key cannot make those."""
    if not tree.whole or not case.witnesses:
        return
    heads = []
    for note, head in map(open_checkpoint, case.history):
        try:
            if head.size <= tree.size and note.signed_by(case.witnesses):
                heads.append(head)
        except Problem as problem:
            report.findings.append(Finding("cosignature", f"{problem} (checkpoint of {head.size} leaves)"))
    _bracket(tree, sorted(heads, key=lambda head: head.size), "cosigned checkpoints on file", report)


def _bracket(tree: _Tree, heads: Sequence[Checkpoint], name: str, report: Report) -> tuple[int, int] | None:
    """Find the first of ``heads`` that the rows do not give; rewriting one row breaks all heads from it on."""
    first_bad = bisect_left(heads, True, key=lambda head: tree.root(head.size) != head.root)
    if first_bad == len(heads):
        if heads:
            report.trust.append(f"agrees with {name}: {heads[-1].size} leaves")
        return None
    start = heads[first_bad - 1].size if first_bad else 0
    stop = heads[first_bad].size
    text = f"history was rewritten: a row from {start} to {stop - 1} is not what {name} show"
    report.findings.append(Finding("rewritten", text, start))
    return start, stop


def _check_outside(case: Case, tree: _Tree, outside: Outside, head: Checkpoint, report: Report) -> None:
    known = [key.verifier for key in case.keys]
    known += [*case.witnesses, *([outside.verifier] if outside.verifier else [])]
    try:
        if not outside.note.signed_by(known) or outside.head.origin != head.origin:
            report.findings.append(Finding("outside", f"{outside.name} is not signed by any key of this log"))
            return
    except Problem as problem:
        report.findings.append(Finding("outside", f"{outside.name}: {problem}"))
        return
    if outside.head.size > head.size:
        text = (
            f"the log was cut off: {outside.name} shows {outside.head.size} leaves, here are {head.size}; "
            f"rows {head.size} to {outside.head.size - 1} are missing"
        )
        report.findings.append(Finding("cut-off", text, head.size))
    if not tree.whole:
        return
    heads = [one for _, one in (*outside.history, (outside.note, outside.head)) if one.size <= tree.size]
    if _bracket(tree, sorted(heads, key=lambda one: one.size), outside.name, report):
        _name_by_hashes(case, tree, outside, report)


def _name_by_hashes(case: Case, tree: _Tree, outside: Outside, report: Report) -> None:
    """Name each row whose hash is not the one the witness kept."""
    held = outside.hashes
    if len(held) != outside.head.size * 32:
        return
    kept = [held[at : at + 32] for at in range(0, len(held), 32)]
    if merkle.root_of(kept, tree.suite) != outside.head.root:
        report.findings.append(Finding("outside", f"the hashes kept by {outside.name} are damaged"))
        return
    home = {value: position for position, value in enumerate(kept)}
    named = 0
    for start in range(0, min(tree.size, len(kept)), CHUNK):
        stop = min(start + CHUNK, tree.size, len(kept))
        ours = tree.leaf_hashes(start, stop)
        wrong = [start + n for n, value in enumerate(ours) if value != kept[start + n]]
        for position in wrong[: MOST_NAMED - named]:
            named += 1
            row = next((row for _, row in case.source.rows(position, position + 1)), None)
            moved = home.get(ours[position - start])
            code, text = "changed", f"row {position} is not the one that {outside.name} witnessed"
            if moved is not None:
                code, text = (
                    "reordered",
                    f"row {position} stands in the wrong place: it was witnessed as row {moved}",
                )
            report.findings.append(_finding(code, text, position, row))


def audit_folder(
    folder: Path, against: Sequence[Path], processes: int, progress: Callable[[int], None] | None
) -> Report:
    """Verify an export: checkpoint, keys, history, tiles and entry bundles, and nothing else."""
    texts = {}
    for name in ("checkpoint", "keys.txt", "history.txt", "witnesses.txt", "suite.txt"):
        path = folder / name
        if path.exists():
            texts[name] = path.read_text(encoding="utf-8")
        elif name in ("checkpoint", "keys.txt"):
            raise Problem("file-missing", f"The export has no {name}", where=Where(file=str(path)))
    tiles = TileStore(folder, merkle.SUITES[texts.get("suite.txt", "sha256").strip()])
    size = open_checkpoint(texts["checkpoint"])[1].size
    return audit(
        Case(
            source=BundleSource(tiles, size),
            tiles=tiles,
            note=texts["checkpoint"],
            keys=parse_keys(texts["keys.txt"]),
            witnesses=[
                parse_verifier(line.split(" ")[0]) for line in texts.get("witnesses.txt", "").splitlines()
            ],
            history=texts.get("history.txt", "").split("\f\n")[:-1],
            outside=[read_outside(path) for path in against],
            processes=processes,
            progress=progress,
        )
    )
