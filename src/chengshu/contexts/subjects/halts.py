"""Sources that forms are not filled from for the time being: one that is down, one that its department withdrew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger.api import deposit
from chengshu.contexts.subjects.models import SourceHalt
from chengshu.kernel.one_look import seen
from chengshu.kernel.problems import Problem


def halted_sources() -> dict[str, str]:
    """Return source → why nothing is taken from it now (``down`` or ``withdrawn``); one query."""
    return seen(
        "halted-sources", lambda: dict(SourceHalt.objects.filter(ended_at=None).values_list("source", "kind"))
    )


def halts() -> list[SourceHalt]:
    """Return what is halted now and what was, newest first."""
    return list(SourceHalt.objects.order_by("-pk")[:100])


def halting(
    sources: Mapping[str, Mapping[str, str]],
) -> list[tuple[str, Mapping[str, str], SourceHalt | None]]:
    """Return each source with its title and the halt that is open, those that are halted first; one query."""
    known = {row.source: row for row in SourceHalt.objects.filter(ended_at=None)}
    # A halted source that the snapshot in force no longer holds stays on the page: somebody must be able to resume it.
    titles = {**{source: {"zh": source, "en": source} for source in known}, **sources}
    found = [(source, title, known.get(source)) for source, title in titles.items()]
    return sorted(found, key=lambda each: (each[2] is None, each[0]))


def halt_source(source: str, kind: str, reason: str, *, actor: Account, now: dt.datetime) -> int:
    """Take nothing more from a source: its fields are asked from now on. Returns the number of the halt."""
    if kind not in SourceHalt.Kind.values or not reason.strip():
        raise Problem("halt-reason", _("请写明停用数源的原因"), detail=kind, status=422)
    try:
        with transaction.atomic():
            row = SourceHalt.objects.create(
                source=source, kind=kind, reason=reason.strip()[:300], since=now, by=actor.display_name
            )
            deposit("source-halted", f"source:{source}", _payload(row), now=now)
    except IntegrityError as error:
        raise Problem("halt-twice", _("这个数源已经停用"), detail=source, status=409) from error
    return int(row.pk)


def end_halt(source: str, *, actor: Account, now: dt.datetime, reason: str = "") -> bool:
    """Fill forms from a source again; false when it was not halted."""
    with transaction.atomic():
        row = SourceHalt.objects.select_for_update().filter(source=source, ended_at=None).first()
        if row is None:
            return False
        row.ended_at, row.ended_by, row.ended_reason = now, actor.display_name, reason.strip()[:300]
        row.save(update_fields=["ended_at", "ended_by", "ended_reason"])
        ended = {"resumed_by": row.ended_by, "resumed_reason": row.ended_reason}
        deposit("source-resumed", f"source:{source}", {**_payload(row), **ended}, now=now)
    return True


def _payload(row: SourceHalt) -> dict[str, str]:
    said = {"source": row.source, "kind": row.kind, "reason": row.reason, "by": row.by}
    return {**said, "since": row.since.astimezone(dt.UTC).isoformat()}
