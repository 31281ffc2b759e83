"""How long the archive of a case is kept, and on what ground: the district's file, or the one that ships."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import load_yaml

PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Term:
    """Years that a package is kept, ``None`` for good; and why."""

    years: int | None
    ground: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a district."""

    default: Term
    packs: dict[str, Term]
    not_filed: dict[str, str]

    def of(self, pack: str) -> Term:
        """Return how long cases of a pack are kept."""
        return self.packs.get(pack, self.default)


def terms() -> Terms:
    """Return the terms in force here; a district's own file ``archive.yaml`` takes the place of the shipped one."""
    own = Path(settings.VAR_DIR) / "district" / "archive.yaml"
    return _read(own if own.exists() else Path(__file__).with_name("retention.yaml"))


@lru_cache(maxsize=4)
def _read(path: Path) -> Terms:
    said = load_yaml(path)
    unknown = set(said) - {"default", "packs", "not_filed"}
    if unknown or "default" not in said:
        raise Problem(
            "archive-terms",
            _("archive.yaml 只写 default、packs 和 not_filed，而且要有 default"),
            detail=", ".join(sorted(unknown)),
            where=Where(str(path)),
        )
    packs = {pack: _term(each, path) for pack, each in (said.get("packs") or {}).items()}
    return Terms(_term(said["default"], path), packs, dict(said.get("not_filed") or {}))


def _term(said: dict[str, object], path: Path) -> Term:
    years, ground = said.get("years"), str(said.get("ground") or "")
    if (
        set(said) != {"years", "ground"}
        or not ground
        or not (years == PERMANENT or (type(years) is int and 1 <= years <= 200))
    ):
        raise Problem(
            "archive-terms",
            _("保管期限要写 years（1 至 200 的整数，或 permanent）和 ground（依据）"),
            detail=str(said),
            where=Where(str(path)),
        )
    return Term(years if isinstance(years, int) else None, ground)


def due_on(closed_on: dt.date, term: Term) -> dt.date | None:
    """Return the first day after the term, which runs from the new year after the case was closed; none: never."""
    return None if term.years is None else dt.date(closed_on.year + 1 + term.years, 1, 1)
