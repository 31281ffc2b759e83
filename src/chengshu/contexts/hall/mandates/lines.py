"""Mandates as pages show them: with the titles of matters, and where each stands today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import get_language
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity

STANDINGS = {
    "offered": (_n("待接受"), "wait"),
    "accepted": (_n("有效"), "good"),
    "later": (_n("还没到开始日"), "info"),
    "ended": (_n("已到期"), "plain"),
    "lapsed": (_n("已终止"), "plain"),
    "refused": (_n("已谢绝"), "plain"),
    "revoked": (_n("已撤销"), "plain"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One mandate, from either side."""

    id: int
    principal: str
    agent: str
    basis: str
    matters: tuple[str, ...]
    every_matter: bool
    valid_from: date
    valid_to: date
    standing: str
    text: str
    tone: str
    reason: str
    # A guardianship rests on the law: nobody ends it by a press.
    guardian: bool

    @property
    def live(self) -> bool:
        """Whether it can still be revoked."""
        return self.standing in ("offered", "accepted", "later")


def matters_for(account: identity.Account, now: datetime) -> list[tuple[str, str]]:
    """Return the matters that one may hand to another: pack and title, as a resident is offered them."""
    language = "en" if (get_language() or "").startswith("en") else "zh"
    return [(each.id, each.title.get(language) or each.id) for each in cases.services_for(account, now)]


def lines_of(rows: Sequence[identity.Mandate], titles: Mapping[str, str], now: datetime) -> list[Line]:
    """Return mandates as lines; who of their sides has died or is struck off is asked once for all."""
    over = identity.mandates.ended_with(rows, now)
    return [_line(row, titles, identity.mandates.standing(row, now, over)) for row in rows]


def _line(row: identity.Mandate, titles: Mapping[str, str], standing: str) -> Line:
    """Return a mandate as a line; a matter that is offered no more is called by its id."""
    text, tone = STANDINGS[standing]
    return Line(
        id=row.pk,
        principal=row.principal_name,
        agent=row.agent.shown_name,
        basis=str(identity.Mandate.Basis(row.basis).label),
        matters=tuple(titles.get(pack, pack) for pack in row.scope),
        every_matter=row.every_matter,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        standing=standing,
        text=text,
        tone=tone,
        reason=row.reason,
        guardian=row.basis == identity.Mandate.Basis.GUARDIAN,
    )
