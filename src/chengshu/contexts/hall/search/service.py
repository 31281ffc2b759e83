"""The one engine of this installation: kept as a file beside the database and in memory, made anew when things change."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Collection
from pathlib import Path

from django.conf import settings

from chengshu.contexts.hall.items.queries import revision
from chengshu.contexts.hall.search import index as indexing
from chengshu.contexts.hall.search import sources
from chengshu.contexts.hall.search.engine import Answer, Engine, Hit
from chengshu.contexts.hall.search.index import FORMAT
from chengshu.contexts.hall.search.ranking import Ranker
from chengshu.contexts.hall.search.thesaurus import FOLDER
from chengshu.contexts.identity import api as identity

PUBLIC = ("item", "pack", "policy")
_lock = threading.Lock()
_held: dict[str, Engine] = {}


def engine(now: dt.datetime) -> Engine:
    """Return the engine for the present state of items, packs and thesaurus; two queries when nothing changed."""
    mark = _mark(now)
    held = _held.get(mark)
    if held is not None:
        return held
    with _lock:
        if mark not in _held:
            path = index_path()
            found = Engine.load(path, mark)
            if found is None:
                found = Engine.build([*sources.item_docs(), *sources.pack_docs(now), *sources.policy_docs()])
                found.save(path, mark)
            _held.clear()
            _held[mark] = found
        return _held[mark]


def index_path() -> Path:
    """Return where the index lies."""
    return Path(settings.VAR_DIR) / "search" / "index.npz"


def _mark(now: dt.datetime) -> str:
    services = sorted((service.id, service.version) for service in sources.offered(now))
    return hashlib.sha256(
        f"{FORMAT}|{settings.VAR_DIR}|{revision()}|{services}|{_data()}".encode()
    ).hexdigest()


_of_data: list[str] = []


def _data() -> str:
    """Return the digest of thesaurus and word lists; they change with the program only."""
    if not _of_data:
        folder = FOLDER.parent
        paths = [
            *folder.glob("thesaurus/*.yaml"),
            *folder.glob("words/*.txt"),
            *folder.glob("events.yaml"),
            *folder.glob("*.py"),
        ]
        content = b"".join(path.read_bytes() for path in sorted(paths))
        _of_data.append(hashlib.sha256(content).hexdigest())
    return _of_data[0]


def find(
    query: str, now: dt.datetime, *, kinds: Collection[str] = PUBLIC, top: int = 10, literal: bool = False
) -> Answer:
    """Return what fits a query best among what everyone may see; ``literal``: just as it was typed."""
    return engine(now).search(query, kinds=kinds, top=top, literal=literal)


def find_own(
    query: str, account: identity.Account, now: dt.datetime, *, top: int = 5, literal: bool = False
) -> list[Hit]:
    """Return the person's own cases and certificates that fit, by the same reading and ranking."""
    documents = list(sources.own_docs(account, now))
    if not documents:
        return []
    reading = engine(now).read(query, literal=literal)
    own = indexing.build(documents)
    ranked = Ranker(own).rank(reading)
    return [Hit(documents[doc], score) for doc, score in ranked[:top] if score >= OWN_FITS]


# Among a handful of one's own matters a faint likeness is worth showing.
OWN_FITS = 0.2


def suggest(typed: str, now: dt.datetime, *, top: int = 8) -> list[str]:
    """Return how a query may go on."""
    return engine(now).suggest(typed[:60], top=top)
