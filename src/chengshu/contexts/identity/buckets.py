"""Buckets of tokens that all processes of one machine share: a small file in memory, no database and no server.

The file has a fixed number of places. A key's places follow from its digest; where they are all taken, the bucket that was
used longest ago gives way, so a flood of new keys can only make limits milder, never use more memory or time. Two processes
(or threads) never change the same places at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import threading
from pathlib import Path

_PLACE = struct.Struct("<16sdd")
_TOGETHER = 8
MOST_OPEN = 8
_GROUPS = 4_096
_SIZE = _GROUPS * _TOGETHER * _PLACE.size


class BucketFile:
    """The buckets in one file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._file).st_size < _SIZE:
            os.ftruncate(self._file, _SIZE)
        self._places = mmap.mmap(self._file, _SIZE)
        # The file's lock holds between processes, this one between the threads of one.
        self._threads = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        self._places.close()
        os.close(self._file)

    def take(self, key: str, capacity: float, per_second: float, now: float) -> float:
        """Take a token; returns 0, or the seconds until there is one. Buckets refill evenly up to ``capacity``."""
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        start = int.from_bytes(digest[:4], "little") % _GROUPS * _TOGETHER * _PLACE.size
        width = _TOGETHER * _PLACE.size
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX, width, start)
            try:
                return self._take(digest, start, capacity, per_second, now)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, width, start)

    def _take(self, digest: bytes, start: int, capacity: float, per_second: float, now: float) -> float:
        place, tokens = start, capacity
        oldest = float("inf")
        for at in range(start, start + _TOGETHER * _PLACE.size, _PLACE.size):
            owner, left, used = _PLACE.unpack_from(self._places, at)
            if owner == digest:
                place, tokens = at, min(capacity, left + max(now - used, 0.0) * per_second)
                break
            if used < oldest:
                oldest, place = used, at
        if tokens < 1:
            return (1 - tokens) / per_second
        _PLACE.pack_into(self._places, place, digest, tokens - 1, now)
        return 0.0


_open: dict[Path, BucketFile] = {}
_opening = threading.Lock()


def buckets(path: Path) -> BucketFile:
    """Return the buckets of a file, opened once a process."""
    found = _open.get(path)
    if found is None:
        with _opening:
            found = _open.get(path)
            if found is None:
                # A program has one such file; only tests go through many.
                while len(_open) >= MOST_OPEN:
                    _open.pop(next(iter(_open))).close()
                found = _open[path] = BucketFile(path)
    return found
