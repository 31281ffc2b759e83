"""The log as files, laid out by C2SP tlog-tiles: anyone can copy them and verify with any tool.

    checkpoint                       the newest signed checkpoint
    keys.txt                         the log's verifier keys
    tile/<level>/<number>[.p/<w>]    256 hashes, or ``w`` of them
    tile/entries/<number>[.p/<w>]    the leaves' texts, each behind two bytes of length

The database is the truth; what is lost here is written again from it. No Django here.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem, Where

WIDTH, HEIGHT = 256, 8
# Two bytes of length before each entry; a leaf text has at most 60 + 200 characters and some numbers.
_LENGTHS = [number.to_bytes(2, "big") for number in range(2048)]


class TileStore:
    """Reads and writes the tiles in one folder."""

    def __init__(self, folder: Path, suite: merkle.Suite = merkle.SHA256) -> None:
        self.folder, self.suite = folder, suite
        self._tile = lru_cache(maxsize=64)(self._read_tile)

    def append(
        self,
        start: int,
        hashes: Sequence[bytes],
        texts: Sequence[bytes],
        roots: Mapping[int, bytes] | None = None,
    ) -> None:
        """Add leaves ``start`` …: their texts and hashes, and every tile above that gains a hash.

        ``roots`` are roots of full tiles that the caller knows already (see ``extend_by_tiles``).
        """
        self._append_entries(start, texts)
        level, first, nodes, known = 0, start, list(hashes), roots or {}
        while nodes:
            nodes = self._append_level(level, first, nodes, known)
            level, first, known = level + 1, first // WIDTH, {}
        self._tile.cache_clear()

    def read_node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree (see ``merkle.ReadNode``)."""
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        data = self._tile(tile_level, first // WIDTH, first % WIDTH + (1 << height))
        offset = first % WIDTH * 32
        nodes = [data[at : at + 32] for at in range(offset, offset + (32 << height), 32)]
        return merkle.complete_root(nodes, self.suite)

    def root(self, size: int) -> bytes:
        """Return the tree head over the first ``size`` leaves."""
        return merkle.range_root(0, size, self.read_node, self.suite) if size else self.suite.empty

    def hashes(self, start: int, stop: int) -> bytes:
        """Return the leaf hashes ``start`` … ``stop`` - 1, one behind the other."""
        parts = []
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            last = min(stop - number * WIDTH, WIDTH)
            parts.append(self._tile(0, number, last)[: last * 32])
        return b"".join(parts)[start % WIDTH * 32 :]

    def level(self, level: int, number: int, width: int) -> bytes:
        """Return the first ``width`` hashes of a tile; what is missing is not there."""
        try:
            return self._read(self._path(str(level), number), width)[: width * 32]
        except Problem:
            return b""

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the texts of leaves ``start`` … ``stop`` - 1."""
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            last = min(stop - number * WIDTH, WIDTH)
            texts = list(split_entries(self._read(self._path("entries", number), last)))
            if len(texts) < last:
                raise self._missing(self._path("entries", number))
            yield from texts[max(start - number * WIDTH, 0) : last]

    def paths(self, size: int) -> Iterator[Path]:
        """Yield the files, relative to the folder, that a log of ``size`` leaves consists of."""
        level, nodes = 0, size
        while nodes:
            names = [str(level)] + (["entries"] if level == 0 else [])
            for name in names:
                for number in range(nodes // WIDTH):
                    yield self._path(name, number).relative_to(self.folder)
                if nodes % WIDTH:
                    path = self._partial(self._path(name, nodes // WIDTH), nodes % WIDTH)
                    yield path.relative_to(self.folder)
            level, nodes = level + 1, nodes // WIDTH

    def forget(self) -> None:
        """Drop what was read before: the files may have changed."""
        self._tile.cache_clear()

    def _append_level(
        self, level: int, first: int, nodes: list[bytes], known: Mapping[int, bytes]
    ) -> list[bytes]:
        number, held = divmod(first, WIDTH)
        data = b"".join(nodes)
        if held:
            data = self._read(self._path(str(level), number), held)[: held * 32] + data
        full = len(data) // (WIDTH * 32)
        above = []
        for count in range(full):
            tile = data[count * WIDTH * 32 : (count + 1) * WIDTH * 32]
            self._write_full(self._path(str(level), number + count), tile, fresh=count > 0 or not held)
            above.append(
                merkle.complete_root([tile[at : at + 32] for at in range(0, len(tile), 32)], self.suite)
            )
        rest = data[full * WIDTH * 32 :]
        if rest:
            write_file(self._partial(self._path(str(level), number + full), len(rest) // 32), rest)
        return above

    def _tile_root(self, tile: bytes) -> bytes:
        return merkle.complete_root([tile[at : at + 32] for at in range(0, len(tile), 32)], self.suite)

    def _append_entries(self, start: int, texts: Sequence[bytes]) -> None:
        number, held = divmod(start, WIDTH)
        before: list[bytes] = []
        if held:
            before = list(split_entries(self._read(self._path("entries", number), held)))[:held]
        done = 0
        while done < len(texts):
            grown = bool(before)
            batch = before + list(texts[done : done + WIDTH - len(before)])
            done, before = done + len(batch) - len(before), []
            data = b"".join([_LENGTHS[len(text)] + text for text in batch])
            path = self._path("entries", number)
            if len(batch) == WIDTH:
                self._write_full(path, data, fresh=not grown)
            else:
                write_file(self._partial(path, len(batch)), data)
            number += 1

    def _write_full(self, path: Path, data: bytes, *, fresh: bool) -> None:
        if not fresh:
            write_file(path, data)
            shutil.rmtree(path.with_name(path.name + ".p"), ignore_errors=True)
            return
        # Nobody reads a tile that lies wholly behind the published head, so it needs no second name.
        try:
            path.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def _read_tile(self, level: int, number: int, width: int) -> bytes:
        data = self._read(self._path(str(level), number), width)
        if len(data) < width * 32:
            raise self._missing(self._path(str(level), number))
        return data

    def _read(self, path: Path, width: int) -> bytes:
        """Return a tile with at least ``width`` items: the full one, else the widest partial one."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            folder = path.with_name(path.name + ".p")
        try:
            widths = [int(name) for name in os.listdir(folder) if name.isdigit()]
        except FileNotFoundError:
            widths = []
        if not widths or max(widths) < width:
            raise self._missing(path)
        # The narrowest that suffices: a wider one may belong to a step that was never finished.
        return (folder / str(min(w for w in widths if w >= width))).read_bytes()

    def _missing(self, path: Path) -> Problem:
        return Problem(
            "tile-missing",
            "A tile of the ledger is missing or short",
            where=Where(file=str(path.relative_to(self.folder))),
            remedy="chengshu ledger repair writes the tiles again from the database",
        )

    def _path(self, kind: str, number: int) -> Path:
        """Return the path of a tile: groups of three digits, all but the last behind an x."""
        text = f"{number % 1000:03}"
        number //= 1000
        while number:
            text = f"x{number % 1000:03}/{text}"
            number //= 1000
        return self.folder / "tile" / kind / text

    @staticmethod
    def _partial(path: Path, width: int) -> Path:
        return path.with_name(path.name + ".p") / str(width)


def extend_by_tiles(frontier: merkle.Frontier, hashes: Sequence[bytes]) -> dict[int, bytes]:
    """Add leaf hashes to ``frontier``; returns the roots of the tiles that became full, by number."""
    roots: dict[int, bytes] = {}
    done = min(-frontier.size % WIDTH, len(hashes))
    frontier.extend(hashes[:done])
    while len(hashes) - done >= WIDTH:
        root = merkle.complete_root(hashes[done : done + WIDTH], frontier.suite)
        roots[frontier.size // WIDTH] = root
        frontier.append_subtree(root, HEIGHT)
        done += WIDTH
    frontier.extend(hashes[done:])
    return roots


def split_entries(data: bytes) -> Iterator[bytes]:
    """Yield the entries of a bundle; what is cut off at its end is not yielded."""
    at, end = 0, len(data)
    while at + 2 <= end:
        length = int.from_bytes(data[at : at + 2], "big")
        if at + 2 + length > end:
            return
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


def write_file(path: Path, data: bytes, *, durable: bool = False, mode: int = 0o644) -> None:
    """Write a file so that readers see the old or the new one, never a half; ``durable`` waits for the disk."""
    try:
        _replace(path, data, durable, mode)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data, durable, mode)


def _replace(path: Path, data: bytes, durable: bool, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
