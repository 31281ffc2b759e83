"""Parts of a one-thing at run time: child cases that open, report, join and are withdrawn, in the steps' transactions.

A child tells its parent in the transaction of its own step; a parent tells a child that is there already by the outbox.
Locks are so taken from the child up and never down: no two steps wait for each other.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import structlog
from django.db import transaction

from chengshu.contexts.cases import endings, jobs, packs, papers, routing, rows, sourced, store
from chengshu.contexts.cases.wording import both, outcome_words
from chengshu.contexts.identity import api as identity
from chengshu.kernel.one_look import new_look
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import Outcome
from chengshu.procedure.check_parts import child_names
from chengshu.procedure.expressions import Expression, compile_expression
from chengshu.procedure.machine import Command, advance, begin
from chengshu.procedure.model import SYSTEM, Pack
from chengshu.procedure.parts import MARK, OPEN_PART, TELL_PART, WITHDRAW_PART, Join, News, Part
from chengshu.procedure.ports import EffectRequest, registry

log = structlog.get_logger("chengshu.cases.parts")
PART_JOB = "part"
# Faults of the installation, not of the matter: the whole step fails and is tried again once they are mended.
INSTALLATION = {"pack-not-loaded", "effect-not-wired", "source-not-wired", "parameter-not-in-force"}
_local = threading.local()


def wire() -> None:
    """Let steps of one-things open parts, and steps of parts report; called once by ``wire_effects``."""
    registry.effect_handlers[OPEN_PART] = open_part
    registry.effect_handlers[TELL_PART] = tell_part
    registry.effect_handlers[WITHDRAW_PART] = withdraw_part
    jobs.register_work(PART_JOB, _work)
    endings.listen_to_parts(endings.PartListeners(settling, report, rehearse))


# --- from the parent down ---


def open_part(request: EffectRequest) -> Mapping[str, Any]:
    """Open a part's case in the step's own transaction, in the applicant's name; what its pack refuses is a refused part."""
    params, row = request.params, rows.lock_free(request.case_id)
    part = str(params["part"])
    opener = identity.account(int(row.opened_by)) if row.opened_by.isdigit() else None
    pack = packs.current(params["pack"]).pack
    # What the questionnaire says counts no more than what one types into the part's own form.
    facts, origins = _with_own_sources(pack, params["facts"], row, opener, request.now)
    try:
        with transaction.atomic():
            child = store.open_case(
                params["pack"],
                facts,
                opened_by=opener if opener is not None and _opens(pack, opener) else None,
                subject_id=row.subject_id or None,
                cell_code=row.cell_code or None,
                idempotency_key=request.idempotency_key,
                now=request.now,
                parent=request.case_id,
                on_end=f"{MARK}{part}",
                on_behalf=row.behalf,
            )
            handed = _handed(row, part, facts, origins)
            sourced.keep_origins(
                sourced.PartFacts(child, row.id, origins, handed, len(pack.facts), request.now)
            )
            papers.hand_papers(request.case_id, child, request.now)
            for number, given in enumerate(params["then"]):
                said = {name: value for name, value in given["with"].items() if value is not None}
                store.command(
                    child, given["do"], said, actor=opener, now=request.now, in_opener_name=True,
                    idempotency_key=f"{request.idempotency_key}:{number}"[: store.MAX_KEY],
                )  # fmt: skip
    except Problem as problem:
        if problem.code in INSTALLATION or problem.status >= 500:
            raise
        log.info("part-refused", case=request.case_id, part=part, problem=str(problem))
        _deliver(request.case_id, "", News(part, refused=problem.code), request.idempotency_key, request.now)
        return {"part": part, "refused": problem.code}
    return {"part": part, "child": child}


def _opens(pack: Pack, opener: identity.Account) -> bool:
    """Whether the applicant opens such a case; a shared visit is often opened by the system alone."""
    return SYSTEM not in pack.opening.by or bool(
        pack.opening.by & routing.actor_opening(pack, opener, "").roles
    )


def _with_own_sources(
    pack: Pack, given: Mapping[str, Any], row: rows.CaseRow, opener: identity.Account | None, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, sourced.Origin]]:
    """Return the facts that a part is given, those that its own sources fill (a certificate of an earlier part), and which."""
    facts = {name: value for name, value in given.items() if value not in (None, [])}
    if opener is None:
        return facts, {}
    # Several rounds, one look; a look of its own, since a part that ended in the same press may have issued something.
    with new_look():
        facts, origins = _as_sources_say(pack, facts, row, opener, now)
        asked = [
            field
            for name, field in pack.facts.items()
            if name not in facts and field.prefill is not None and not field.prefill.only
        ]
        if asked:
            held = sourced.filled(pack, asked, opener, row.principal or opener.subject_id, facts, now)
            facts |= {name: one.value for name, one in held.items()}
            origins |= {name: one.origin for name, one in held.items()}
    return facts, origins


def _handed(
    row: rows.CaseRow, part: str, facts: Mapping[str, Any], origins: Mapping[str, sourced.Origin]
) -> dict[str, str]:
    """Return fact → the one-thing's fact that it rests on, where no source of the part says it; empty: several, or none."""
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    item = pack.parts.get(part) if pack.parts is not None else None
    handed = {name: "" for name in facts if name not in origins}
    for name, given in (item.facts if item is not None else {}).items():
        bucket, _, fact = given.reads[0].partition(".") if len(given.reads) == 1 else ("", "", "")
        if name in handed and bucket == "facts":
            handed[name] = fact
    return handed


def _as_sources_say(
    pack: Pack, facts: dict[str, Any], row: rows.CaseRow, opener: identity.Account, now: dt.datetime
) -> tuple[dict[str, Any], dict[str, sourced.Origin]]:
    """Return the facts with those that only a record may say as it says them; the one-thing's answers are typed, too."""
    try:
        found, origins = sourced.with_origins(pack, facts, opener, row.behalf, now)
        return dict(found), origins
    except Problem as problem:
        # A mandate that has ended, a source that is down: nothing is known, so a person looks.
        log.warning("part-unsourced", case=row.id, pack=pack.id, problem=problem.code)
        return {name: value for name, value in facts.items() if not _only_optional(pack, name)}, {}


def _only_optional(pack: Pack, name: str) -> bool:
    field = pack.facts.get(name)
    return field is not None and field.prefill is not None and field.prefill.only and not field.required


def tell_part(request: EffectRequest) -> None:
    """Bring a part that waits for a join the command that the end of the shared case gives it."""
    said = {"do": request.params["do"], "with": dict(request.params["with"]), "by": ""}
    jobs.enqueue_work(PART_JOB, str(request.params["case"]), said, request.idempotency_key, request.now)


def withdraw_part(request: EffectRequest) -> None:
    """Withdraw a part whose one-thing has ended; one that can no longer be withdrawn goes on by itself."""
    opener = rows.lock_free(request.case_id).opened_by
    said = {"do": request.params["do"], "with": {}, "by": opener if opener.isdigit() else ""}
    jobs.enqueue_work(PART_JOB, str(request.params["case"]), said, request.idempotency_key, request.now)


# --- from the child up ---


@contextmanager
def settling(case_id: str, now: dt.datetime) -> Iterator[None]:
    """Keep back what parts tell while their parent's own step is being written; it hears of it right after."""
    busy: dict[str, list[tuple[str, News, str]]] = _busy()
    if case_id in busy:
        yield
        return
    busy[case_id] = []
    try:
        yield
        heard = busy[case_id]
    finally:
        del busy[case_id]
    for child, news, key in heard:
        _deliver(case_id, child, news, key, now)


def report(runtime: packs.Runtime, row: rows.CaseRow, outcome: Outcome, now: dt.datetime) -> None:
    """Tell the one-thing of a step of one of its parts, where it wants to know; in the part's own transaction."""
    event, part = outcome.event, row.on_end.removeprefix(MARK)
    if row.parent_id is None or event["target"] == event.get("source"):
        return
    parent = rows.lock_free(row.parent_id)
    pack = packs.pinned(parent.pack_version_id, parent.pack_hash).pack
    final = runtime.pack.states[event["target"]].final
    if pack.parts is None or not pack.parts.tells(part, event["target"], final):
        return
    item = pack.parts.get(part)
    scope = _scope_of(outcome, now)
    returned, gives = {}, {}
    if item is not None and event["target"] in item.done:
        if isinstance(item, Part):
            returned = _evaluated(item.returns, pack, runtime.pack, scope)
        else:
            gives = {
                name: _evaluated(given.data, None, runtime.pack, scope) for name, given in item.gives.items()
            }
    news = News(part, event["target"], final, event.get("outcome", ""), returned, gives)
    _deliver(row.parent_id, row.id, news, f"{MARK}{row.id}:{event['seq']}", now)


def _scope_of(outcome: Outcome, now: dt.datetime) -> dict[str, Any]:
    case = outcome.case
    return {
        **{f"case.{name}": value for name, value in case.kept.items()},
        **{f"facts.{name}": value for name, value in case.facts.items()},
        "outcome": case.outcome,
        "state": case.state,
        "today": legal_day(now).isoformat(),
    }


def _evaluated(
    sources: Mapping[str, str], parent: Pack | None, child: Pack, scope: Mapping[str, Any]
) -> dict[str, Any]:
    found = {name: _compiled(child.hash, source).evaluate(scope) for name, source in sources.items()}
    if parent is None:
        return found
    # What stays empty does not overwrite what the parent keeps.
    return {name: value for name, value in found.items() if value is not None}


@lru_cache(maxsize=512)
def _compiled(pack_hash: str, source: str) -> Expression:
    return compile_expression(source, child_names(packs.of_hash(pack_hash)))


def _deliver(parent_id: str, child: str, news: News, key: str, now: dt.datetime) -> None:
    """Bring news to the parent at once; where it cannot take it now, by the outbox, so that no part fails for it."""
    waiting = _busy().get(parent_id)
    if waiting is not None:
        waiting.append((child, news, key))
        return
    try:
        with transaction.atomic():
            _take(parent_id, child, news, key, now)
    except Problem as problem:
        log.warning("part-news-later", case=parent_id, part=news.part, problem=str(problem))
        jobs.enqueue_work(PART_JOB, parent_id, {"news": asdict(news), "child": child}, key, now)


def _take(parent_id: str, child: str, news: News, key: str, now: dt.datetime) -> None:
    """Give the parent the command that brings it news; one that has ended wants none."""
    row = rows.lock(parent_id)
    if row is None:
        return
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    plan = pack.plans.get((row.state, pack.parts.on_part)) if pack.parts is not None else None
    known = row.case(pack.id).parts.get(news.part, {})
    if pack.parts is None or plan is None or known.get("state") != "open":
        return
    fields = plan.form.fields if plan.form is not None else {}
    said = _said(pack, child, news)
    data = {
        name: said[name]["words" if field.type.kind == "text" else "code"]
        for name, field in fields.items()
        if name in said and said[name]["code"]
    }
    store.command(
        parent_id, pack.parts.on_part, data, actor=None, now=now, idempotency_key=key[: store.MAX_KEY],
        children={child: news.outcome} if child and news.final else None, news=news,
    )  # fmt: skip


def _said(pack: Pack, child: str, news: News) -> dict[str, dict[str, str]]:
    item = pack.parts.get(news.part) if pack.parts is not None else None
    group = "joins" if isinstance(item, Join) else "parts"
    state = "refused" if news.refused else "done" if item is not None and news.state in item.done else "open"
    outcome = outcome_words(child, news.outcome)["zh"] if child and news.outcome else news.refused
    return {
        "part": {"code": news.part, "words": pack.text(f"{group}.{news.part}.title")},
        "part_state": {"code": state, "words": state},
        "child": {"code": child, "words": child},
        "child_outcome": {"code": news.outcome or news.refused, "words": outcome},
    }


def _work(case_id: str, said: Mapping[str, Any], key: str, now: dt.datetime) -> None:
    """Do what a job of this context carries: news for a parent, or a command for a part."""
    if "news" in said:
        news = News(**said["news"])
        store.each_conflict_once(lambda: _taken(case_id, said["child"], news, key, now))
        return
    actor = identity.account(int(said["by"])) if said["by"] else None
    in_name = actor is not None
    row = rows.lock_free(case_id)
    plan = packs.pinned(row.pack_version_id, row.pack_hash).pack.plans.get((row.state, said["do"]))
    if plan is None:
        # The part has gone on meanwhile: there is nothing left to join or to withdraw.
        return
    fields = plan.form.fields if plan.form is not None else {}
    data = {name: value for name, value in said["with"].items() if name in fields and value is not None}
    store.each_conflict_once(
        lambda: store.command(
            case_id, said["do"], data, actor=actor, now=now, idempotency_key=key, in_opener_name=in_name
        )
    )


def _taken(case_id: str, child: str, news: News, key: str, now: dt.datetime) -> store.Done:
    with transaction.atomic():
        _take(case_id, child, news, key, now)
    return store.Done(case_id, 0)


def _busy() -> dict[str, list[tuple[str, News, str]]]:
    found: dict[str, list[tuple[str, News, str]]] | None = getattr(_local, "busy", None)
    if found is None:
        found = _local.busy = {}
    return found


# --- before anything is opened ---


def rehearse(pack: Pack, outcome: Outcome, opener: identity.Account, now: dt.datetime) -> None:
    """Raise ``form-invalid`` for what the first parts' own forms would refuse, told by the parent's facts.

    Other refusals (a condition that does not hold, a key that is taken) make a refused part and lose nothing else.
    """
    errors: dict[str, Any] = {}
    for call in outcome.effects:
        item = pack.parts.get(str(call.params.get("part"))) if pack.parts is not None else None
        if call.name != OPEN_PART or item is None:
            continue
        child = packs.current(item.pack).pack
        facts = {name: value for name, value in call.params["facts"].items() if value not in (None, [])}
        actor = routing.actor_opening(child, opener, "")
        try:
            begun = begin(child, "", facts, actor, now)
            for given in call.params["then"]:
                said = {name: value for name, value in given["with"].items() if value is not None}
                begun = advance(child, begun.case, Command(given["do"], actor, said), begun.personal, now)
        except Problem as problem:
            if problem.code == "form-invalid":
                errors |= _by_parent(item, child, problem.extra.get("errors", {}))
    if errors:
        raise Problem(
            "form-invalid", "Some answers need another look", status=422, errors=errors,
            detail="; ".join(f"{name}: {error['text']}" for name, error in errors.items()),
        )  # fmt: skip


def _by_parent(item: Part | Join, child: Pack, errors: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a child's objections under the parent's facts that its own are taken from."""
    found: dict[str, Any] = {}
    for name, error in errors.items():
        own, _, rest = name.partition(".")
        value = item.facts.get(own)
        fact = value.direct.removeprefix("facts.") if value is not None and value.direct else ""
        if own not in item.facts and own in child.facts:
            # Its own source fills it when it opens.
            continue
        key = f"{fact}.{rest}" if rest and fact else fact or own
        found[key] = dict(error)
        if error["code"] == "check" and (said := both(child, f"fields.{own}.check"))["zh"]:
            # In the words of the part's own pack: the questionnaire does not know them.
            found[key] |= {"text": said["zh"], "said": said}
    return found
