"""One step of a case, durable: event, projection, terms, tasks, effects and ledger leaf in one transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _

from chengshu.contexts.cases import (
    endings,
    files,
    holidays,
    jobs,
    packs,
    papers,
    routing,
    rows,
    sealing,
    sourced,
    uploads,
)
from chengshu.contexts.cases.domain import FileIn, Opening, new_case_id
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import CaseEvent
from chengshu.contexts.cases.packs import Runtime
from chengshu.contexts.cases.rows import CaseRow
from chengshu.contexts.cases.sql import Unit, dump, sql
from chengshu.contexts.identity.api import Account, departments
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.one_look import forget
from chengshu.kernel.problems import Problem
from chengshu.procedure.case import RUNNING, Case, Event, Outcome, TermState
from chengshu.procedure.machine import MACHINE, Command, advance, begin
from chengshu.procedure.model import Pack
from chengshu.procedure.parts import MARK, News, PartState
from chengshu.procedure.ports import Actor, EffectRequest, registry

LEDGER_KIND = "case.step"
MAX_KEY = 120
# Effects that open and close tasks themselves.
PARTY_EFFECTS = {"add_party", "remove_party"}
Tasks = Sequence[tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken: the case's version after it, and whether the key had been used before."""

    case_id: str
    seq: int
    repeated: bool = False


def open_case(
    pack: str,
    facts: Mapping[str, Any],
    *,
    opened_by: Account | None = None,
    subject_id: str | None = None,
    cell_code: str | None = None,
    department: str | None = None,
    idempotency_key: str,
    now: dt.datetime,
    parent: str | None = None,
    on_end: str = "",
    assignee: str = "",
    files_in: Sequence[FileIn] = (),
    stored: Sequence[files.Stored] = (),
    asked: bool = False,
    on_behalf: Mapping[str, Any] | None = None,
) -> str:
    """Open a case and return its id; a key that was used before returns the case it opened.

    ``files_in`` come with the form, ``stored`` were cleaned and stored before (a draft's); both are facts and evidence.
    ``asked``: a person asks for it by a form or a call, which packs of ``offered: false`` do not take.
    ``on_behalf``: whose matter it is, and on what ground (subject_id, by, mandate), where it is not the opener's own.
    """
    runtime = packs.current(pack)
    if asked:
        refuse_unoffered(runtime.pack)
        _check_department(runtime.pack, department)
    kept = [*stored, *papers.papers_of_form(runtime, files_in)]
    facts = papers.with_papers(facts, kept)
    if asked and opened_by is not None:
        facts = sourced.only_sourced(runtime.pack, facts, opened_by, on_behalf, now)
    if asked and opened_by is not None and case_of_key(idempotency_key) is None:
        kept += uploads.named(runtime.pack.facts, facts, opened_by, now, kept=kept)
    opening = Opening(facts, idempotency_key, subject_id, cell_code, department, assignee, on_behalf)
    return _open(runtime, opening, opened_by, now, parent, on_end, kept)


def refuse_unoffered(pack: Pack) -> None:
    """Refuse what nobody begins by themselves: such cases are opened by a step of another one, or by the system."""
    if not pack.offered:
        raise Problem(
            "opening-not-offered", _("这个事项不能单独提出"), detail=pack.id, status=403,
            remedy=_("请在所属的办件中提出"),
        )  # fmt: skip


def _check_department(pack: Pack, department: str | None) -> None:
    """Where the pack says whose a case is, whoever asks for it does not: that department also seals what is issued."""
    known = not department or any(row.code == department for row in departments())
    if not known or (department and pack.department is not None):
        raise Problem(
            "opening-department", _("这个事项由哪个部门办理不由申请人指定"), detail=department or "", status=422,
            remedy=_("不填写部门"),
        )  # fmt: skip


def _open(
    runtime: Runtime,
    opening: Opening,
    opened_by: Account | None,
    now: dt.datetime,
    parent: str | None,
    on_end: str,
    stored: Sequence[files.Stored] = (),
) -> str:
    _check_key(opening.idempotency_key)
    holidays.look()
    known = case_of_key(opening.idempotency_key)
    if known is not None:
        return known
    try:
        with Unit():
            return _opened(runtime, opening, opened_by, now, parent, on_end, stored)
    except IntegrityError:
        # Someone opened a case under this key at the same time: theirs stands.
        known = case_of_key(opening.idempotency_key)
        if known is None:
            raise
        return known


def _opened(
    runtime: Runtime,
    opening: Opening,
    opened_by: Account | None,
    now: dt.datetime,
    parent: str | None,
    on_end: str,
    stored: Sequence[files.Stored],
) -> str:
    pack = runtime.pack
    actor = MACHINE if opened_by is None else routing.actor_opening(pack, opened_by, opening.department or "")
    outcome = begin(pack, new_case_id(now), opening.facts, actor, now)
    row = new_row(runtime, opening, outcome, actor, parent, on_end)
    if pack.parts is not None and opened_by is not None:
        endings.part_listeners().rehearse(pack, outcome, opened_by, now)
    # The row stands before its effects run: a child case refers to it. Its projection is written at the end.
    rows.insert_cases([case_values(outcome, row, opening.idempotency_key, now)])
    if opening.on_behalf:
        outcome.event["on_behalf"] = rows.note_behalf(row, opening.on_behalf)
    if stored:
        # Before the effects: a child case that they open takes over the papers that its facts name.
        papers.note_papers(outcome.case.id, 1, stored, now)
    settle(runtime, row, outcome, (), now, key=None, request="")
    return outcome.case.id


def case_of_key(key: str) -> str | None:
    """Return the case that was opened under a key."""
    found = sql().run("SELECT id FROM cases_case WHERE open_key = %s", (key,)).fetchone()
    return found[0] if found else None


def new_row(
    runtime: Runtime, opening: Opening, outcome: Outcome, actor: Actor, parent: str | None, on_end: str
) -> CaseRow:
    """Return the row of a case that begins."""
    facts = outcome.case.facts
    return CaseRow(
        id=outcome.case.id,
        version=0,
        state="",
        outcome="",
        subject_id=opening.subject_id or str(facts.get("subject_id") or ""),
        cell_code=opening.cell_code or "",
        department=str(outcome.case.kept.get("department") or opening.department or outcome.department or ""),
        opened_by=actor.id,
        parent_id=parent,
        on_end=on_end,
        label=str(outcome.case.label or facts.get("subject_label") or ""),
        area=str(facts.get("area") or ""),
        body="",
        pack_version_id=runtime.version_id,
        pack_hash=runtime.pack.hash,
        assignee=opening.assignee,
        pack=outcome.case.pack,
        kind=str(facts.get("kind") or facts.get("finding") or "")[:50],
    )


def case_values(outcome: Outcome, row: CaseRow, key: str, now: dt.datetime) -> tuple[Any, ...]:
    """Return the values of a new case's row."""
    return rows.case_values(outcome.case, row, key, now, "outcome" in outcome.event)


def command(
    case_id: str,
    name: str,
    data: Mapping[str, Any],
    *,
    actor: Account | None,
    now: dt.datetime,
    expected_version: int | None = None,
    idempotency_key: str | None = None,
    files_in: Sequence[FileIn] = (),
    term: str = "",
    children: Mapping[str, str] | None = None,
    news: News | None = None,
    in_opener_name: bool = False,
) -> Done:
    """Carry out one command on a case; ``actor`` is ``None`` for the machine. The whole step or nothing of it.

    ``in_opener_name``: a one-thing gives its part a command that the opener's own declaration covers, whoever is served now.
    """
    if idempotency_key is not None:
        _check_key(idempotency_key)
        idempotency_key = own_key(idempotency_key, actor)
    holidays.look()
    stored, sent = papers.papers_of_step(case_id, name, data, files_in, actor, now)
    request = _request_digest(name, sent, actor) if idempotency_key else ""
    with Unit():
        row, tasks, known = rows.lock_with_tasks(case_id, idempotency_key)
        if row is None:
            raise Problem("case-unknown", _("没有这个办件"), detail=case_id, status=404)
        if known:
            return _repeated(case_id, known, request)
        if expected_version is not None and expected_version != row.version:
            raise changed(case_id, row.version)
        runtime = packs.pinned(row.pack_version_id, row.pack_hash)
        row, case, tasks = _with_ends(runtime, row, tasks, term, now)
        who = MACHINE if actor is None else routing.actor_in_case(runtime.pack, row, tasks, actor, now)
        if in_opener_name and actor is not None:
            who = routing.with_opener_roles(runtime.pack, who)
        secret = (row.state, name) in runtime.secret_steps
        secrets = sealing.unseal(case_id, 1) if secret else {}
        digests = tuple(item.digest for item in stored)
        wanted = Command(name, who, sent, digests, term, children or {}, news)
        outcome = advance(runtime.pack, case, wanted, secrets, now)
        if stored:
            papers.note_papers(case_id, outcome.event["seq"], stored, now)
        settle(runtime, row, outcome, tasks, now, key=idempotency_key, request=request)
        return Done(case_id, outcome.event["seq"])


def end_term(case_id: str, term: str, round_: int, name: str, now: dt.datetime) -> Done:
    """Give a case the command that the end of a term brings; once for each round, whoever gives it first."""
    key = f"end:{term}:{round_}"
    return command(case_id, name, {}, actor=None, now=now, idempotency_key=key, term=term)


def _with_ends(
    runtime: Runtime, row: CaseRow, tasks: Tasks, term: str, now: dt.datetime
) -> tuple[CaseRow, Case, Tasks]:
    """Return the case as it is when what has ended by now is written: who comes after the last day is late.

    The clock may not have come by yet. One transaction with the step: where that is refused, the clock writes the ends.
    ``term``: the one whose end is the step itself; others that ended before it come first.
    """
    case = row.case(runtime.pack.id)
    while over := _first_ended(case, now):
        if over["id"] == term:
            break
        on_expiry = runtime.pack.deadlines[over["id"]].on_expiry
        if end_term(row.id, over["id"], over["round"], on_expiry, now).repeated:
            break
        after, tasks, _key = rows.lock_with_tasks(row.id, None)
        row = after or row
        case = row.case(runtime.pack.id)
    return row, case, tasks


def _first_ended(case: Case, now: dt.datetime) -> TermState | None:
    ended = [
        (dt.datetime.fromisoformat(each["due_at"]), each["id"])
        for each in case.terms.values()
        if each["state"] == RUNNING and each["due_at"]
    ]
    first = min(ended, default=None)
    return None if first is None or first[0] > now else case.terms[first[1]]


def settle(
    runtime: Runtime,
    row: CaseRow,
    outcome: Outcome,
    tasks: Tasks,
    now: dt.datetime,
    *,
    key: str | None,
    request: str,
) -> None:
    """Write what a step brings; inside the caller's transaction."""
    if runtime.pack.parts is None:
        _settle(runtime, row, outcome, tasks, now, key, request)
        return
    with endings.part_listeners().settling(outcome.case.id, now):
        _settle(runtime, row, outcome, tasks, now, key, request)


def _settle(
    runtime: Runtime,
    row: CaseRow,
    outcome: Outcome,
    tasks: Tasks,
    now: dt.datetime,
    key: str | None,
    request: str,
) -> None:
    case, event = outcome.case, outcome.event
    row.department = str(case.kept.get("department") or row.department)
    ended = "outcome" in event
    if outcome.effects:
        # The row of a case that is being opened has no body yet; a later step locked the whole of it.
        with rows.in_hand(row) if row.body else nullcontext():
            run_effects(row, outcome, now)
        if any(call.name in PARTY_EFFECTS for call in outcome.effects):
            tasks = rows.open_tasks(case.id)
    written = None
    with sql().together():
        if outcome.personal:
            event["sealed"], salt, body = sealing.seal(outcome.personal)
            rows.insert_payloads([(case.id, event["seq"], salt, body)])
        write_event(case.id, event, now, key=key, request=request)
        if event["seq"] > 1:
            final = runtime.pack.states[case.state].final
            written = rows.send_case(case, row.department, row.version, now, final)
        rows.upsert_terms([rows.term_values(case.id, term) for term in outcome.terms])
        _write_tasks(runtime, row, outcome, tasks, now)
    if written is None:
        _finish_opening(outcome, row)
    elif written.rowcount != 1:
        raise changed(case.id, row.version)
    else:
        _note(case, event, now)
    endings.tell_step(runtime.pack, outcome, row, now)
    if row.on_end.startswith(MARK):
        endings.part_listeners().report(runtime, row, outcome, now)
    if ended:
        _end(runtime, row, case, now)


def _note(case: Case, event: Event, now: dt.datetime) -> None:
    """Write what few steps change: the one write that every step makes stays as small as it is."""
    rarely: dict[str, Any] = {}
    if "label" in event:
        rarely |= {"label": case.label[:200], "searchable": False}
    if turned := event.get("turned"):
        rarely |= {"turned": turned, "turned_at": now, "turned_seq": event["seq"]}
    if rarely:
        CaseModel.objects.filter(pk=case.id).update(**rarely)


def _end(runtime: Runtime, row: CaseRow, case: Case, now: dt.datetime) -> None:
    """Tell the parent and all who listen that a case has ended."""
    if row.parent_id and row.on_end and not row.on_end.startswith(MARK):
        told = {name: case.kept.get(name) for name in runtime.pack.returns}
        jobs.enqueue_child_ended(row.parent_id, row.on_end, case, now, told)
    endings.tell(case, row, now)


def write_event(case_id: str, event: Event, now: dt.datetime, *, key: str | None, request: str) -> None:
    """Insert an event behind its ledger leaf."""
    body = dump(event)
    salt = ledger.insert_unread(LEDGER_KIND, f"case:{case_id}", body.encode(), now=now)
    rows.insert_event_after_leaf(case_id, event, body, key, request, salt)


def _finish_opening(outcome: Outcome, row: CaseRow) -> None:
    """Bring the row of a new case up to what its own effects changed (children)."""
    if outcome.effects:
        CaseModel.objects.filter(pk=row.id).update(body=rows.body_of(outcome.case))


def run_effects(row: CaseRow, outcome: Outcome, now: dt.datetime) -> None:
    """Run the effects inside our database now, put the others into the outbox."""
    case, event = outcome.case, outcome.event
    who = Actor(event["actor"]["id"], event["actor"]["name"], frozenset({event["role"]}))
    for call, note in zip(outcome.effects, event["effects"], strict=True):
        request = EffectRequest(
            case.id, call.name, call.params, case.facts, event.get("data", {}), who, now, call.key
        )
        if not call.inside:
            jobs.enqueue_effect(request)
            continue
        result = registry.effect_handler(call.name)(request)
        # A certificate issued, a fact corrected: the next part of a one-thing must find it. No effect writes accounts.
        forget(but=("account", "department"))
        if result:
            note["result"] = dict(result)
            if (part := result.get("part")) and "child" in result:
                known: PartState = {**event["parts"][part], "case": str(result["child"])}
                event["parts"][part] = known
                case.parts = {**case.parts, part: known}
            if child := result.get("child"):
                case.children = {**case.children, str(child): ""}
                event["children"] = {**event.get("children", {}), str(child): ""}


def _write_tasks(runtime: Runtime, row: CaseRow, outcome: Outcome, tasks: Tasks, now: dt.datetime) -> None:
    """Close what is no longer asked for, open what is new; who already works on the case goes on."""
    case, wanted = outcome.case, outcome.tasks
    have = {role for _, role, _ in tasks}
    due = rows.earliest(case)
    if wanted is not None:
        rows.close_tasks([task_id for task_id, role, _ in tasks if role not in wanted], now)
    if outcome.terms and (wanted is None or have & set(wanted)):
        rows.date_tasks(case.id, due)
    if wanted is not None:
        rows.insert_tasks(
            [
                rows.task_values(row, role, owner, due, now)
                for role in wanted
                if role not in have
                for owner in routing.owners_for(runtime.pack.roles[role], row, now)
            ]
        )


def changed(case_id: str, version: int) -> Problem:
    """Return the problem of whoever comes second: who did what meanwhile, and what to do."""
    last = CaseEvent.objects.filter(case_id=case_id).order_by("-seq").values_list("actor", "at").first()
    return Problem(
        "case-changed",
        _("这个办件刚刚被别人处理过，你的答复没有写入"),
        detail=f"{case_id}, {version}" + (f", {last[1].isoformat()}" if last else ""),
        remedy=_("请重新打开办件，看清现状后再答复"),
        status=409,
        version=version,
    )


def each_conflict_once(attempt: Callable[[], Done], times: int = 3) -> Done:
    """Try a machine's step again when someone came in between; people are told instead."""
    for left in range(times - 1, -1, -1):
        try:
            return attempt()
        except Problem as problem:
            if problem.code != "case-changed" or not left:
                raise
    raise AssertionError("unreachable")


def _repeated(case_id: str, known: tuple[int, str], request: str) -> Done:
    seq, digest = known
    if not hmac.compare_digest(digest, request):
        raise Problem(
            "idempotency-key-reused",
            _("这个幂等键已用于另一个请求"),
            detail=case_id,
            remedy=_("为新的请求使用新的键"),
            status=422,
        )
    return Done(case_id, seq, repeated=True)


def _request_digest(name: str, data: Mapping[str, Any], actor: Account | None) -> str:
    # Keyed, so that nobody guesses a personal value back from it.
    said = dump([name, dict(data), str(actor.pk) if actor else "system"])
    return hmac.digest(_secret(settings.SECRET_KEY), said.encode(), "sha256").hex()


@lru_cache(maxsize=4)
def _secret(key: str) -> bytes:
    return key.encode()


def _check_key(key: str) -> None:
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise Problem("idempotency-key", _("幂等键为 1 到 120 个可见字符"), status=400)


def own_key(key: str, actor: Account | None) -> str:
    """Return a person's key apart from everyone else's: nobody takes the one under which the machine ends a term."""
    if actor is None:
        return key
    own = f"by:{actor.pk}:{key}"
    return own if len(own) <= MAX_KEY else f"by:{actor.pk}:{hashlib.sha256(key.encode()).hexdigest()}"
