"""Mandates: somebody lets an account act for them, in named matters and until a day (Civil Code, articles 161 to 175).

Offered, then accepted or refused by the agent; revoked by either side at any time. A guardianship rests on the law and not on
anybody's word: it ends at a window, on a stated ground. Each act is in the ledger, in its own transaction. Whether a mandate is
in force is asked where it is used, so neither its last day nor the death of a side (articles 173, 175) needs a clock. Nobody
passes a mandate on (article 169 would need the principal's consent: they give a second one).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.identity import acting
from chengshu.contexts.identity.access import may_act
from chengshu.contexts.identity.lifetimes import ended
from chengshu.contexts.identity.models import Account, Mandate, MandateEvent, WindowSession
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem

LONGEST = timedelta(days=3 * 366)
ADULT = 18
State = Mandate.State
SENTENCES = {
    "offered": _n("提出授权"),
    "on-paper": _n("凭书面材料登记"),
    "accepted": _n("接受"),
    "refused": _n("谢绝"),
    "revoked": _n("撤销"),
    "ended": _n("凭材料在窗口终止"),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever lets another act for them."""

    subject_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a mandate covers: packs (empty with ``every_matter``) and the days on which it holds, both included."""

    scope: tuple[str, ...]
    every_matter: bool
    valid_from: date
    valid_to: date


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that a window clerk took in: its digest, and what it is called."""

    digest: str
    name: str


def agent_named(username: str, display_name: str, now: datetime) -> Account:
    """Return the resident account of this user name if it belongs to somebody of this name; else one and the same refusal."""
    found = Account.objects.filter(username=username.strip(), role=Account.Role.RESIDENT).first()
    if found is None or found.display_name != display_name.strip() or not may_act(found):
        raise Problem(
            "agent-unknown", _("没有找到这个账户，或姓名与账户不符"), status=422, remedy=_("请向对方核对用户名和姓名"),
        )  # fmt: skip
    return found


def principal_for(account: Account, firm: str = "") -> Principal:
    """Return for whom this account may give a mandate: itself, or a firm that it legally represents."""
    if not firm:
        return Principal(account.subject_id, account.display_name)
    for each in acting.represented(account, firm):
        return Principal(each.subject_id, each.name)
    raise Problem(
        "not-the-representative", _("只有登记的法定代表人可以代表企业授权"), detail=firm, status=403
    )


def offer(principal: Principal, agent: Account, terms: Terms, *, by: Account, now: datetime) -> Mandate:
    """Offer a mandate; it holds once the agent accepts it."""
    _check(principal, agent, terms, Mandate.Basis.GIVEN, now)
    with transaction.atomic():
        row = _row(principal, agent, terms, by, now)
        row.save()
        _note(row, "offered", by, now)
    return row


def record_on_paper(
    principal: Principal,
    agent: Account,
    terms: Terms,
    *,
    paper: Paper,
    basis: str,
    by: Account,
    now: datetime,
) -> Mandate:
    """Put in a mandate that a window clerk was shown on paper (a letter of authority, proof of guardianship): it holds at once.

    The agent stood at the window and asked for it, so nothing is left to accept.
    """
    _check(principal, agent, terms, basis, now)
    with transaction.atomic():
        row = _row(principal, agent, terms, by, now)
        row.basis, row.evidence, row.evidence_name = Mandate.Basis(basis), paper.digest, paper.name
        row.state, row.accepted_at = State.ACCEPTED, now
        row.save()
        _note(row, "on-paper", by, now)
    return row


def _row(principal: Principal, agent: Account, terms: Terms, by: Account, now: datetime) -> Mandate:
    return Mandate(
        principal_id=principal.subject_id,
        principal_name=principal.name,
        agent=agent,
        scope=[] if terms.every_matter else sorted(set(terms.scope)),
        every_matter=terms.every_matter,
        valid_from=terms.valid_from,
        valid_to=terms.valid_to,
        given_by=by,
        given_by_name=by.display_name,
        offered_at=now,
    )


def _check(principal: Principal, agent: Account, terms: Terms, basis: str, now: datetime) -> None:
    today = timezone.localdate(now)
    if not principal.subject_id:
        raise Problem("principal-unknown", _("您的账户还没有对应到本人的记录，不能授权"), status=409)
    if agent.subject_id == principal.subject_id:
        raise Problem("mandate-to-oneself", _("不能授权给本人"), status=422)
    if ended([principal.subject_id, agent.subject_id], now):
        raise _over()
    if not terms.every_matter and not terms.scope:
        raise Problem("mandate-without-scope", _("请至少选择一个事项"), status=422)
    if terms.valid_to < terms.valid_from or terms.valid_to < today:
        raise Problem("mandate-days", _("终止日早于开始日，或已经过去"), status=422)
    # Guardianship ends with childhood; what one gives freely is renewed now and then.
    if basis == Mandate.Basis.GIVEN and terms.valid_to - terms.valid_from > LONGEST:
        raise Problem("mandate-too-long", _("授权最长三年，到期可以再授权"), status=422)


def until_adult(born: date, today: date) -> date:
    """Return the last day on which somebody born then is a minor (Civil Code, article 17); raises ``Problem`` for adults."""
    birthday = born.replace(year=born.year + ADULT) if (born.month, born.day) != (2, 29) else None
    adult_on = birthday or date(born.year + ADULT, 3, 1)
    if adult_on <= today:
        raise Problem("not-a-minor", _("当事人已满十八周岁，不适用监护"), status=422)
    return adult_on - timedelta(days=1)


def accept(mandate_id: int, agent: Account, now: datetime) -> Mandate:
    """Accept a mandate that was offered to this account."""
    return _step(mandate_id, agent, State.ACCEPTED, now)


def refuse(mandate_id: int, agent: Account, reason: str, now: datetime) -> Mandate:
    """Decline a mandate that was offered to this account."""
    return _step(mandate_id, agent, State.REFUSED, now, reason)


def _step(mandate_id: int, agent: Account, state: Mandate.State, now: datetime, reason: str = "") -> Mandate:
    with transaction.atomic():
        row = _locked(mandate_id)
        if row.agent_id != agent.pk:
            raise _unknown(mandate_id)
        if row.state != State.OFFERED or row.valid_to < timezone.localdate(now):
            raise Problem("mandate-not-open", _("这个授权已经处理过，或已过期"), status=409)
        if state == State.ACCEPTED and ended_with([row], now):
            raise _over()
        row.state, row.reason = state, reason[:300]
        if state == State.ACCEPTED:
            row.accepted_at = now
        else:
            row.refused_at = now
        row.save()
        _note(row, state.value, agent, now, reason)
    return row


def revoke(mandate_id: int, by: Account, reason: str, now: datetime) -> Mandate:
    """End a mandate: the principal, whoever speaks for them, or the agent, who lays it down; no guardianship."""
    with transaction.atomic():
        row = _locked(mandate_id)
        if by.pk != row.agent_id and not speaks_for(by, row):
            raise _unknown(mandate_id)
        if row.state not in (State.OFFERED, State.ACCEPTED):
            raise Problem("mandate-not-open", _("这个授权已经处理过，或已过期"), status=409)
        if row.basis == Mandate.Basis.GUARDIAN:
            raise Problem(
                "guardianship-by-law",
                _("监护由法律规定，不能在网上撤销"),
                status=403,
                remedy=_("请监护人带材料到窗口办理；监护人侵害孩子的，请告诉学校、居民委员会或民政部门"),
            )
        return _end(row, "revoked", by, reason, now)


def of_served(clerk: Account, now: datetime) -> list[Mandate]:
    """Return the open mandates of whoever this clerk is serving in person, from either side, newest first.

    Whoever comes with a letter of proxy speaks in the matter that it names, not on who else may act for the principal.
    """
    served = WindowSession.objects.filter(
        clerk=clerk, ended_at=None, ends_at__gt=now, ground=WindowSession.Ground.PRESENT
    )
    ids = [each for each in served.values_list("subject_id", flat=True) if each]
    found = Mandate.objects.filter(Q(principal_id__in=ids) | Q(agent__subject_id__in=ids))
    live = found.filter(state__in=[State.OFFERED, State.ACCEPTED], valid_to__gte=timezone.localdate(now))
    return list(live.select_related("agent").order_by("-pk"))


def end_at_window(mandate_id: int, clerk: Account, reason: str, now: datetime) -> Mandate:
    """End a mandate or a guardianship of whoever is being served, on a ground that the clerk was shown."""
    with transaction.atomic():
        row = _locked(mandate_id)
        if row.pk not in {each.pk for each in of_served(clerk, now)}:
            raise _unknown(mandate_id)
        return _end(row, "ended", clerk, reason, now)


def _end(row: Mandate, act: str, by: Account, reason: str, now: datetime) -> Mandate:
    row.state, row.revoked_at, row.revoked_by = State.REVOKED, now, by.display_name
    row.reason = reason[:300]
    row.save()
    _note(row, act, by, now, reason)
    return row


def speaks_for(account: Account, row: Mandate) -> bool:
    """Say whether an account may end a mandate on the principal's side."""
    if account.subject_id and account.subject_id == row.principal_id:
        return True
    return row.principal_id.startswith("F") and bool(acting.represented(account, row.principal_id))


def _locked(mandate_id: int) -> Mandate:
    row = Mandate.objects.select_for_update().filter(pk=mandate_id).first()
    if row is None:
        raise _unknown(mandate_id)
    return row


def _over() -> Problem:
    return Problem(
        "mandate-ended-with-a-side",
        _("档案记载一方已死亡或企业已注销，代理终止"),
        status=409,
        remedy=_("档案有误的，请先到窗口更正档案"),
    )


def _unknown(mandate_id: int) -> Problem:
    return Problem("mandate-unknown", _("没有这个授权"), detail=str(mandate_id), status=404)


def _note(row: Mandate, act: str, by: Account, now: datetime, reason: str = "") -> None:
    """Write an act down and bind it to the ledger; the leaf holds a salted digest only."""
    payload = {**payload_of(row), "act": act, "by": str(by.pk), "at": now.astimezone(UTC).isoformat()}
    leaf = ledger.deposit("mandate", f"mandate:{row.pk}", payload, now=now)
    MandateEvent.objects.create(
        mandate=row, act=act, account=by, by_name=by.display_name, reason=reason[:300], at=now,
        leaf_id=leaf.id, leaf_salt=leaf.salt,
    )  # fmt: skip


def payload_of(row: Mandate) -> dict[str, Any]:
    """Return what stays the same in every leaf of a mandate."""
    return {
        "mandate": str(row.pk),
        "principal": row.recorded_as or row.principal_id,
        "agent": str(row.agent_id),
        "basis": str(row.basis),
        "scope": "every" if row.every_matter else list(row.scope),
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat(),
        "evidence": row.evidence,
    }


def proof(mandate_id: int, account: Account) -> list[dict[str, Any]]:
    """Return for each act on a mandate what was digested, the salt and the ledger's receipt; for its two sides only."""
    row = Mandate.objects.filter(pk=mandate_id).first()
    if row is None or not (account.pk in (row.agent_id, row.given_by_id) or speaks_for(account, row)):
        raise _unknown(mandate_id)
    found = []
    for event in row.events.order_by("pk"):
        said = {"act": event.act, "by": str(event.account_id), "at": event.at.astimezone(UTC).isoformat()}
        receipt = ledger.receipt(event.leaf_id)
        found.append(
            {
                "mandate": {**payload_of(row), **said},
                "salt": event.leaf_salt,
                "receipt": receipt.to_dict() if receipt else None,
            }
        )
    return found


def to_me(agent: Account) -> list[Mandate]:
    """Return the mandates that let this account act for others, newest first."""
    return list(Mandate.objects.filter(agent=agent).select_related("given_by", "agent").order_by("-pk"))


def from_subjects(subject_ids: Sequence[str]) -> list[Mandate]:
    """Return the mandates that these subjects have given, newest first."""
    rows = Mandate.objects.filter(principal_id__in=[each for each in subject_ids if each])
    return list(rows.select_related("agent").order_by("-pk"))


def ended_with(rows: Iterable[Mandate], now: datetime) -> frozenset[int]:
    """Return the numbers of those mandates that a side did not outlive: principal or agent, person or firm."""
    sides = {row.pk: {row.principal_id, row.agent.subject_id} for row in rows}
    over = ended(set().union(*sides.values()), now)
    return frozenset(number for number, two in sides.items() if two & over)


def standing(row: Mandate, now: datetime, over: Collection[int]) -> str:
    """Return offered, accepted, refused, revoked, or by its days: later, ended; lapsed where it is ``over`` (``ended_with``)."""
    today = timezone.localdate(now)
    if row.state in (State.OFFERED, State.ACCEPTED) and row.valid_to < today:
        return "ended"
    if row.state in (State.OFFERED, State.ACCEPTED) and row.pk in over:
        return "lapsed"
    if row.state == State.ACCEPTED and row.valid_from > today:
        return "later"
    return str(row.state)


def acts_for(account: Account, subject_id: str, now: datetime, pack: str = "") -> bool:
    """Say whether an account may see to a subject's matters at ``now`` by mandate or as its legal representative."""
    if not subject_id:
        return False
    rows = acting.in_force(now).filter(agent=account, principal_id=subject_id)
    if any(row.every_matter or not pack or pack in row.scope for row in rows):
        return not ended([subject_id, account.subject_id], now)
    return subject_id.startswith("F") and bool(acting.represented(account, subject_id))


def serves(account: Account, subject_id: str, now: datetime) -> bool:
    """Say whether a window clerk is serving this subject at ``now``."""
    open_now = WindowSession.objects.filter(
        clerk=account, subject_id=subject_id, ended_at=None, ends_at__gt=now
    )
    return bool(subject_id) and open_now.exists()


def move_principal(old: str, new: str) -> None:
    """Carry mandates over to the subject that theirs was merged into; their leaves in the ledger speak of the old one."""
    found = Mandate.objects.filter(principal_id=old)
    found.filter(recorded_as="").update(recorded_as=old)
    found.update(principal_id=new)
