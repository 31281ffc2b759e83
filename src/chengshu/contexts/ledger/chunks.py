"""Checks the rows of a ledger chunk by chunk, on as many processes as there are cores. No Django here."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from chengshu.contexts.ledger.sources import Source, Spec, open_source
from chengshu.contexts.ledger.tiles import HEIGHT, WIDTH, TileStore
from chengshu.kernel import merkle

CHUNK = 32_768
# Below this a second process costs more than it saves.
WORTH_A_PROCESS = 8 * CHUNK


class Chunk(NamedTuple):
    """One chunk: whether rows and tiles agree, the nodes at height 8, and leaf hashes behind the last full
    tile.
    """

    start: int
    stop: int
    good: bool
    nodes: bytes
    tail: bytes


def check_chunks(source: Source, tiles: TileStore, size: int, processes: int) -> Iterator[Chunk]:
    """Yield the chunks of the first ``size`` rows in order."""
    spans = [(start, min(start + CHUNK, size)) for start in range(0, size, CHUNK)]
    if processes < 2 or source.spec is None or size < WORTH_A_PROCESS:
        for span in spans:
            yield check_chunk(source, tiles, span)
        return
    context = multiprocessing.get_context("spawn")
    work = partial(_work, source.spec, str(tiles.folder), tiles.suite.name)
    with ProcessPoolExecutor(processes - 1, mp_context=context) as pool:
        others = {n: pool.submit(work, span) for n, span in enumerate(spans)}
        done: dict[int, Chunk] = {}
        for n in range(len(spans)):
            while n not in done:
                own = _take(others, n)
                if own is None:
                    done[n] = others.pop(n).result()
                else:
                    # This process works too, on what nobody has begun; the others start late and go on in order.
                    done[own] = check_chunk(source, tiles, spans[own])
            yield done.pop(n)


def _take(others: dict[int, Future[Chunk]], wanted: int) -> int | None:
    """Take a chunk that no other process has begun; ``None`` when ``wanted`` is ready or nothing is left to take."""
    if wanted in others and others[wanted].done():
        return None
    for n in (wanted, *reversed(others)):
        if n in others and others[n].cancel():
            del others[n]
            return n
    return None


def check_chunk(source: Source, tiles: TileStore, span: tuple[int, int]) -> Chunk:
    """Hash the rows of one chunk and compare them with the tiles."""
    start, stop = span
    texts = source.texts(start, stop)
    hashes = merkle.leaf_hashes([b"\x00" + text for text in texts], tiles.suite)
    full = len(hashes) // WIDTH * WIDTH
    nodes = hashes[:full]
    for _ in range(HEIGHT):
        nodes = merkle.parents(nodes, tiles.suite)
    good = len(hashes) == stop - start
    for first in range(start, stop, WIDTH):
        width = min(WIDTH, stop - first)
        at = first - start
        good = good and tiles.level(0, first // WIDTH, width) == b"".join(hashes[at : at + width])
    return Chunk(start, stop, good, b"".join(nodes), b"".join(hashes[full:]))


_OPEN: dict[Spec, Source] = {}


def _work(spec: Spec, folder: str, suite: str, span: tuple[int, int]) -> Chunk:
    source = _OPEN.get(spec)
    if source is None:
        source = _OPEN[spec] = open_source(spec)
    return check_chunk(source, TileStore(Path(folder), merkle.SUITES[suite]), span)
