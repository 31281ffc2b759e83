"""Pack versions: loaded whole into the database by content hash, pinned by cases, compiled once a process."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.db import transaction

from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.sql import sql
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.procedure.check_parts import check_children
from chengshu.procedure.files import PackFiles, read_files
from chengshu.procedure.loader import beside, load_files
from chengshu.procedure.model import Pack
from chengshu.procedure.sheets import Faults

_packs: dict[str, Pack] = {}
_CURRENT = "SELECT id, hash FROM cases_packversion WHERE pack = %s AND current"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A pack ready to run, with the row that pins it and which steps need the personal facts."""

    pack: Pack
    version_id: int
    secret_steps: frozenset[tuple[str, str]]


def load_pack_version(folder: Path, now: dt.datetime) -> PackVersion:
    """Check a pack's folder and make it the version that new cases are opened under; running cases keep theirs."""
    files = read_files(folder)
    pack = _compile(files)
    if pack.parts is not None:
        _check_parts(pack, files, folder)
    with transaction.atomic():
        found = PackVersion.objects.filter(hash=pack.hash).first()
        if found is None and PackVersion.objects.filter(pack=pack.id, version=pack.version).exists():
            raise Problem(
                "pack-version-taken",
                "Another content is loaded under this version",
                detail=f"{pack.id} {pack.version}",
                remedy="raise version: in pack.yaml",
                status=409,
            )
        PackVersion.objects.filter(pack=pack.id, current=True).exclude(hash=pack.hash).update(current=False)
        if found is not None:
            PackVersion.objects.filter(pk=found.pk).update(current=True)
            return found
        texts = json.dumps(dict(files.texts), ensure_ascii=False, sort_keys=True)
        return PackVersion.objects.create(
            pack=pack.id, version=pack.version, hash=pack.hash, files=texts, loaded_at=now, current=True
        )


def _check_parts(pack: Pack, files: PackFiles, folder: Path) -> None:
    """Refuse a one-thing whose parts' packs are not there or do not get what they need."""
    faults = Faults()
    check_children(pack, files, faults, beside(folder, _loaded_pack))
    if faults:
        raise faults[0]


def _loaded_pack(pack: str) -> Pack | None:
    row = PackVersion.objects.filter(pack=pack, current=True).defer("files").first()
    return pinned(row.pk, row.hash).pack if row is not None else None


def load_shipped(now: dt.datetime) -> list[PackVersion]:
    """Load every pack that ships with the program."""
    folder = shipped("packs", "cn")
    return [load_pack_version(path.parent, now) for path in sorted(folder.glob("*/pack.yaml"))]


def load_missing(now: dt.datetime) -> list[str]:
    """Load the shipped packs of which a founded district has no version; what it chose to run is left alone."""
    known = set(PackVersion.objects.filter(current=True).values_list("pack", flat=True))
    found = [path.parent for path in sorted(shipped("packs", "cn").glob("*/pack.yaml"))]
    missing = [folder for folder in found if known and folder.name not in known]
    return [load_pack_version(folder, now).pack for folder in missing]


def need_shipped(pack: str, now: dt.datetime) -> None:
    """Load a pack that ships with the program when no version of it is loaded yet (a district founded before it)."""
    if not PackVersion.objects.filter(pack=pack, current=True).exists():
        load_pack_version(shipped("packs", "cn", pack), now)


def current(pack: str) -> Runtime:
    """Return the version that new cases are opened under."""
    version_id = sql().run(_CURRENT, (pack,)).fetchone()
    if version_id is None:
        raise Problem(
            "pack-not-loaded", f"No pack {pack!r} is loaded", remedy="run: chengshu pack load DIR", status=404
        )
    return pinned(*version_id)


def current_many(names: Collection[str]) -> dict[str, Pack]:
    """Return the versions of several packs that new cases are opened under; one query."""
    rows = PackVersion.objects.filter(pack__in=set(names), current=True).values_list("pack", "pk", "hash")
    found = {pack: pinned(pk, hash_).pack for pack, pk, hash_ in rows}
    missing = sorted(set(names) - set(found))
    if missing:
        raise Problem(
            "pack-not-loaded",
            f"No pack {missing[0]!r} is loaded",
            remedy="run: chengshu pack load DIR",
            status=404,
        )
    return found


def loaded() -> list[str]:
    """Return the packs of which a version serves new cases."""
    return list(PackVersion.objects.filter(current=True).order_by("pack").values_list("pack", flat=True))


def current_files(pack: str) -> PackFiles:
    """Return the files of the version that new cases are opened under, its golden cases with them."""
    row = PackVersion.objects.get(pack=pack, current=True)
    return PackFiles(f"{row.pack}@{row.version}", json.loads(row.files))


def pinned(version_id: int, hash_: str = "") -> Runtime:
    """Return a version by its row; old versions stay loadable for as long as cases run under them."""
    if not hash_:
        hash_ = _hash_of(version_id)
    runtime = _compiled(hash_)
    if runtime.version_id == version_id:
        return runtime
    # Another database (a test, a restore) gave the same content another number.
    return Runtime(runtime.pack, version_id, runtime.secret_steps)


def of_hash(hash_: str) -> Pack:
    """Return a loaded pack by its content hash."""
    return _compiled(hash_).pack


def _hash_of(version_id: int) -> str:
    return str(PackVersion.objects.filter(pk=version_id).values_list("hash", flat=True).get())


@lru_cache(maxsize=64)
def _compiled(hash_: str) -> Runtime:
    row = PackVersion.objects.get(hash=hash_)
    pack = _compile(PackFiles(f"{row.pack}@{row.version}", json.loads(row.files)))
    if pack.hash != hash_:
        raise Problem("pack-changed", "The stored pack does not match its hash", detail=row.pack, status=500)
    return Runtime(pack, row.pk, _secret_steps(pack))


def _compile(files: PackFiles) -> Pack:
    """Read and check a pack once a process: the same content is the same pack."""
    key = files.hash()
    if key not in _packs:
        _packs[key] = load_files(files)
    return _packs[key]


def _secret_steps(pack: Pack) -> frozenset[tuple[str, str]]:
    secret = {f"facts.{name}" for name in pack.personal_facts()}
    return frozenset(key for key, steps in pack.steps.items() if any(step.reads & secret for step in steps))
