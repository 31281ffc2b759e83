"""Which decisions of seconds a person looks at: drawn by lot from the ledger, so that nobody can choose and all can check.

The lot of a decision is SHA-256 over the root of the first signed tree head that covers its leaf, and the digest of that
leaf: ``sha256("<root>:<leaf digest>")``, its first eight bytes as a whole number. Below ``per_mille`` thousandths of 2^64 it
is drawn. The root is not known when the decision is taken, and the leaf cannot be changed after the root is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.seconds.models import AutomaticDecision
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.messages import api as messages
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.check_refusals import automatic
from chengshu.procedure.model import ENTRY
from chengshu.procedure.ports import EffectRequest

PACK = "seconds-review"
PER_MILLE = "per_mille"
WHOLE = 2**64
REOPEN = "reopen"
State = AutomaticDecision.State


def note_decision(step: cases.StepTaken) -> None:
    """Note a step in which rules alone decided; inside the step's transaction."""
    if not step.event.get("rows") or step.case.pack == PACK:
        return
    pack = step.pack
    taken = pack.opening if step.event["step"] == ENTRY else next(
        (each for each in pack.transitions if each.id == step.event["step"]), None
    )  # fmt: skip
    if taken is None or not automatic(pack, taken, step.event["role"]):
        return
    leaf = cases.leaf_of_step(step.case.id, step.event["seq"])
    AutomaticDecision.objects.create(
        case_id=step.case.id, seq=step.event["seq"], pack=pack.id, step=taken.id, department=step.department,
        at=step.now, leaf_id=leaf,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lot:
    """The lot of one decision: what it is drawn from, the number, and whether it is drawn."""

    leaf_digest: str
    tree_size: int
    tree_root: str
    number: int
    per_mille: int

    @property
    def drawn(self) -> bool:
        """Whether a person looks at it."""
        return self.number < WHOLE * self.per_mille // 1000


def lot(root: str, leaf_digest: str) -> int:
    """Return the lot that a tree head draws for a leaf: a whole number below 2^64."""
    return int.from_bytes(hashlib.sha256(f"{root}:{leaf_digest}".encode()).digest()[:8], "big")


def rate_on(day: dt.date) -> int:
    """Return how many of a thousand are drawn on a day, as the pack of reviews says with its ground."""
    return int(cases.current_pack(PACK).parameters[PER_MILLE].on(day).value)


def draw_lots(now: dt.datetime, limit: int = 500) -> int:
    """Draw for every decision that a signed tree head covers by now; called by a clock. Returns how many were drawn."""
    waiting = list(AutomaticDecision.objects.filter(state=State.WAITING).order_by("pk")[:limit])
    if not waiting:
        return 0
    cases.need_shipped(PACK, now)
    drawn = 0
    for row in waiting:
        found = ledger.first_checkpoint_over(row.leaf_id)
        if found is None:
            continue
        digest, size, root = found
        mine = Lot(digest, size, root, lot(root, digest), rate_on(legal_day(row.at)))
        drawn += _settle(row, mine, now)
    return drawn


def _settle(row: AutomaticDecision, mine: Lot, now: dt.datetime) -> bool:
    with transaction.atomic():
        free = AutomaticDecision.objects.select_for_update().filter(pk=row.pk, state=State.WAITING).first()
        if free is None:
            return False
        free.tree_size, free.tree_root, free.leaf_digest = mine.tree_size, mine.tree_root, mine.leaf_digest
        free.lot, free.per_mille, free.drawn_at = f"{mine.number:016x}", mine.per_mille, now
        free.state = State.DRAWN if mine.drawn else State.PASSED
        if mine.drawn:
            proof = f"{mine.tree_size} {mine.tree_root} {mine.leaf_digest} {free.lot} {mine.per_mille}"
            free.review_case = open_review(free, "lot", now, lot_proof=proof)
        free.save()
    return mine.drawn


def open_review(
    row: AutomaticDecision,
    how: str,
    now: dt.datetime,
    *,
    lot_proof: str = "",
    reason: str = "",
    by: Account | None = None,
) -> str:
    """Open the review of a decision in its department; a decision is under one review at a time."""
    facts: dict[str, Any] = {
        "how": how,
        "decided_case": row.case_id,
        "decided_step": row.step,
        "decided_pack": cases.pack_of_case(row.case_id).title()[:120],
        "decided_on": legal_day(row.at).isoformat(),
        "department": row.department or "data-bureau",
    }
    facts |= {name: said for name, said in (("lot", lot_proof[:300]), ("reason", reason[:1000])) if said}
    return cases.open_case(
        PACK, facts, opened_by=by, idempotency_key=f"review:{row.pk}:{how}", now=now,
    )  # fmt: skip


def ask_person(case_id: str, seq: int, account: Account, reason: str, now: dt.datetime) -> str:
    """Somebody asks that a person looks at the decision on their matter (个人信息保护法第二十四条); returns the review."""
    mine = account.role == "resident" and cases.pursues(case_id, account, now)
    known = AutomaticDecision.objects.filter(case_id=case_id, seq=seq)
    if not mine or not known.exists():
        raise Problem("review-unknown", _("没有可以复核的决定"), detail=case_id, status=404)
    cases.need_shipped(PACK, now)
    with transaction.atomic():
        # Pressed twice, or drawn by lot in the same moment: one review.
        row = known.select_for_update().get()
        if not row.review_case:
            row.review_case = open_review(row, "asked", now, reason=reason, by=account)
            known.update(review_case=row.review_case, state=State.DRAWN)
    return row.review_case


def ask_person_url(case_id: str, viewer: Account, now: dt.datetime) -> str:
    """Return where whoever a decision is about asks for a person; empty for others, and where a person looks already.

    That is who opened the case, and who it was opened for, at the window or by somebody with a mandate.
    """
    if viewer.role != "resident" or not cases.pursues(case_id, viewer, now):
        return ""
    if not AutomaticDecision.objects.filter(case_id=case_id, review_case="").exists():
        return ""
    return reverse("hall:ask_person", args=[case_id])


def follow_review(step: cases.StepTaken) -> None:
    """Bring the decision to where its review stands, in the step's own transaction."""
    states = {"right": State.RIGHT, "wrong": State.WRONG}
    state = states.get(step.event["step"])
    if state is not None:
        AutomaticDecision.objects.filter(review_case=step.case.id).update(state=state)


def reopen_decision(request: EffectRequest) -> dict[str, Any]:
    """Answer the effect: the decided case opens again where its pack says how, and the person is told."""
    case_id = str(request.params["decided_case"])
    row = AutomaticDecision.objects.filter(review_case=request.case_id).order_by("-pk").first()
    reopened = _reopen(case_id, request)
    if row is not None:
        _tell(row, request.now, reopened)
    return {"reopened": reopened}


def _reopen(case_id: str, request: EffectRequest) -> bool:
    try:
        cases.system_command(
            case_id, REOPEN, {}, idempotency_key=f"reopen:{request.case_id}", now=request.now
        )
    except Problem as problem:
        # A pack without the command, or a case that has ended: it is put right in the review itself.
        if problem.code not in ("command-unknown", "command-not-now", "case-unknown", "case-ended"):
            raise
        return False
    return True


def _tell(row: AutomaticDecision, now: dt.datetime, reopened: bool) -> None:
    opener = cases.opener_of(row.case_id)
    account = identity.account(int(opener)) if opener.isdigit() else None
    if account is None:
        return
    title = cases.pack_of_case(row.case_id)
    subject = {
        "zh": f"关于“{title.title()}”的决定：复核认为有误",
        "en": f"The decision on “{title.title('en')}” was found wrong on review",
    }
    body = {
        "zh": f"系统对办件 {row.case_id} 作出的决定，经人工复核认为有误，正在纠正。纠正前会听取您的意见。",
        "en": f"What the system decided in case {row.case_id} was found wrong by a person and is being put right. "
        "You will be heard before that.",
    }
    messages.tell(account, subject, body, key=f"review-wrong:{row.pk}", now=now)


def figures() -> list[dict[str, Any]]:
    """Return by pack how many decisions were taken by rules, drawn, found right and wrong."""
    counts: dict[str, dict[str, int]] = {}
    rows = AutomaticDecision.objects.order_by().values_list("pack", "state").annotate(n=Count("pk"))
    for pack, state, number in rows:
        counts.setdefault(pack, {})[state] = number
    found = []
    for pack, states in sorted(counts.items()):
        known = cases.current_pack(pack)
        total = sum(states.values())
        looked = states.get("right", 0) + states.get("wrong", 0)
        found.append(
            {
                "pack": pack, "title": {"zh": known.title(), "en": known.title("en")}, "total": total,
                "drawn": states.get("drawn", 0) + looked, "right": states.get("right", 0),
                "wrong": states.get("wrong", 0), "waiting": states.get("waiting", 0),
            }
        )  # fmt: skip
    return found
