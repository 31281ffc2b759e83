"""Cases, tasks, terms, evidence and the outbox: the only module that other contexts, interfaces and the site may import.

``open_case`` and ``open_many`` open cases, ``command`` takes a step, ``case_view`` and ``tasks_for`` read; ``sweep`` and
``run_jobs`` are the clocks. ``wire_effects`` registers the effects and sources that this context answers itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from chengshu.contexts.cases import (
    calendars,
    claiming,
    comments,
    drafts,
    files,
    filling,
    migration,
    packs,
    parties,
    parts,
    payments,
    store,
    uploads,
)
from chengshu.contexts.cases.access import FULL, access_case, may_see, note_read
from chengshu.contexts.cases.administration import pack_of
from chengshu.contexts.cases.archiving import (
    CaseOnFile,
    EndedCase,
    case_on_file,
    ended_case,
    ended_cases,
    file_content,
)
from chengshu.contexts.cases.asking import open_asked, subject_of
from chengshu.contexts.cases.audit import check_case
from chengshu.contexts.cases.bulk import open_many, withdraw_vanished
from chengshu.contexts.cases.describing import FEN, described, first_said, plain_values
from chengshu.contexts.cases.domain import (
    CaseView,
    CommandView,
    FieldView,
    FileIn,
    OpenedMany,
    Opening,
    TaskPage,
    TaskRow,
)
from chengshu.contexts.cases.earlier import EarlierAnswer, earlier_answers
from chengshu.contexts.cases.effects import case_fact_source, notify_effect, open_case_effect
from chengshu.contexts.cases.endings import (
    EVERY_PACK,
    PaperIn,
    StepTaken,
    register_on_end,
    register_on_erase,
    register_on_papers,
    register_on_step,
)
from chengshu.contexts.cases.files import MAX_DOCUMENT_BYTES
from chengshu.contexts.cases.handover import HandOver, department_has_work, follow_agents, hand_over, reassign
from chengshu.contexts.cases.invariants import (
    TermSeen,
    all_case_ids,
    last_event,
    open_without_owner,
    open_without_term,
    steps_without_ground_or_leaf,
    terms_written,
)
from chengshu.contexts.cases.jobs import (
    enqueue_effect,
    enqueue_many,
    enqueue_work,
    register_work,
    retry,
    run_jobs,
)
from chengshu.contexts.cases.load import MOST_IN_A_CELL, Load, load_summary, open_by_cell
from chengshu.contexts.cases.mine import MyCase, my_cases
from chengshu.contexts.cases.packs import (
    current_files,
    load_missing,
    load_pack_version,
    load_shipped,
    need_shipped,
)
from chengshu.contexts.cases.packs import loaded as loaded_packs
from chengshu.contexts.cases.panels import CasePanelLine, panel_lines, register_file_notes, register_panel
from chengshu.contexts.cases.presenting import case_view
from chengshu.contexts.cases.progress import PartLine, Progress, progress_of
from chengshu.contexts.cases.public import PublicReceipt, public_command, public_commands
from chengshu.contexts.cases.public_pages import PublicPanel, public_panel
from chengshu.contexts.cases.queries import (
    CaseLine,
    Filters,
    NoticeLine,
    all_tasks,
    cases_about,
    cases_opened_by,
    cell_of,
    dead_jobs,
    notices_for,
    outcomes,
    read_notice,
    subject_merged,
    tasks_for,
    unstarted,
)
from chengshu.contexts.cases.reading import (
    CaseBrief,
    case_brief,
    case_facts,
    case_line,
    case_subject,
    pack_said,
    pack_templates,
    pack_words,
    role_owners,
    step_said,
)
from chengshu.contexts.cases.receipts import Receipt, receipt_of
from chengshu.contexts.cases.relocation import cells_changed
from chengshu.contexts.cases.sealing import erase_personal
from chengshu.contexts.cases.services import services_for, services_to_begin
from chengshu.contexts.cases.sourced import PartFacts, Sourced, register_form_filler, register_origin_keeper
from chengshu.contexts.cases.standing import MOST_CAUSES as CAUSES_LOOKED_UP
from chengshu.contexts.cases.store import case_of_key, open_case
from chengshu.contexts.cases.supervising import PAGE as SUPERVISED_A_PAGE
from chengshu.contexts.cases.supervising import (
    Asked,
    Supervised,
    all_supervised,
    late_by_department,
    pack_titles,
    standing,
    supervised,
)
from chengshu.contexts.cases.supervising import by_article as causes_by_article
from chengshu.contexts.cases.supervising import causes as ending_causes
from chengshu.contexts.cases.sweep import route_unowned, sweep
from chengshu.contexts.cases.trace import (
    Decision,
    TraceLine,
    decisions_of,
    register_ask_person,
    register_origins,
)
from chengshu.contexts.cases.watching import follow_records
from chengshu.contexts.cases.what_if import WhatIf, what_if, what_if_case, what_if_pack
from chengshu.contexts.cases.whose import leaf_of_step, opener_of, pack_of_case, pursues
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack
from chengshu.procedure.ports import register_effect, register_source

__all__ = [
    "CAUSES_LOOKED_UP",
    "EVERY_PACK",
    "FEN",
    "FULL",
    "MAX_DOCUMENT_BYTES",
    "MOST_IN_A_CELL",
    "SUPERVISED_A_PAGE",
    "Asked",
    "CaseBrief",
    "CaseLine",
    "CaseOnFile",
    "CasePanelLine",
    "CaseView",
    "CommandView",
    "Decision",
    "EarlierAnswer",
    "EndedCase",
    "FieldView",
    "FileIn",
    "Filters",
    "HandOver",
    "Load",
    "MyCase",
    "NoticeLine",
    "OpenedMany",
    "Opening",
    "PaperIn",
    "PartFacts",
    "PartLine",
    "Progress",
    "PublicPanel",
    "PublicReceipt",
    "Receipt",
    "Sourced",
    "StepTaken",
    "Supervised",
    "TaskPage",
    "TaskRow",
    "TermSeen",
    "TraceLine",
    "WhatIf",
    "access_case",
    "all_case_ids",
    "all_supervised",
    "all_tasks",
    "calendars",
    "case_brief",
    "case_facts",
    "case_line",
    "case_of_key",
    "case_on_file",
    "case_subject",
    "case_view",
    "cases_about",
    "cases_opened_by",
    "causes_by_article",
    "cell_of",
    "cells_changed",
    "check_case",
    "claiming",
    "command",
    "command_many",
    "comments",
    "current_files",
    "current_pack",
    "dead_jobs",
    "decisions_of",
    "department_has_work",
    "described",
    "drafts",
    "earlier_answers",
    "ended_case",
    "ended_cases",
    "ending_causes",
    "enqueue_effect",
    "enqueue_many",
    "enqueue_work",
    "erase_personal",
    "file_content",
    "files",
    "filling",
    "first_said",
    "follow_agents",
    "follow_records",
    "hand_over",
    "last_event",
    "late_by_department",
    "leaf_of_step",
    "load_missing",
    "load_pack_version",
    "load_shipped",
    "load_summary",
    "loaded_packs",
    "may_see",
    "migration",
    "my_cases",
    "need_shipped",
    "note_read",
    "notices_for",
    "open_asked",
    "open_by_cell",
    "open_case",
    "open_many",
    "open_without_owner",
    "open_without_term",
    "opener_of",
    "outcomes",
    "pack_of",
    "pack_of_case",
    "pack_said",
    "pack_templates",
    "pack_titles",
    "pack_words",
    "panel_lines",
    "parties",
    "payments",
    "plain_values",
    "progress_of",
    "public_command",
    "public_commands",
    "public_panel",
    "pursues",
    "read_notice",
    "reassign",
    "receipt_of",
    "register_ask_person",
    "register_file_notes",
    "register_form_filler",
    "register_on_end",
    "register_on_erase",
    "register_on_papers",
    "register_on_step",
    "register_origin_keeper",
    "register_origins",
    "register_panel",
    "register_work",
    "retry",
    "role_owners",
    "route_unowned",
    "run_jobs",
    "services_for",
    "services_to_begin",
    "shows_personal",
    "standing",
    "step_said",
    "steps_without_ground_or_leaf",
    "subject_merged",
    "subject_of",
    "supervised",
    "sweep",
    "system_command",
    "take_step",
    "tasks_for",
    "terms_written",
    "unstarted",
    "uploads",
    "what_if",
    "what_if_case",
    "what_if_pack",
    "wire_effects",
    "withdraw_vanished",
]


def command(
    case_id: str,
    name: str,
    data: Mapping[str, Any],
    *,
    actor: Account,
    expected_version: int | None,
    idempotency_key: str | None,
    now: dt.datetime,
    files: Sequence[FileIn] = (),
) -> CaseView:
    """Carry out a command for an account and return the case as that account sees it afterwards."""
    access_case(case_id, actor, now)
    try:
        store.command(
            case_id,
            name,
            data,
            actor=actor,
            now=now,
            expected_version=expected_version,
            idempotency_key=idempotency_key,
            files_in=files,
        )
    except Problem as problem:
        told = _told_who_has_it(problem, case_id, actor)
        if told is problem:
            raise
        raise told from problem
    return case_view(case_id, actor, now=now)


def take_step(
    case_id: str,
    name: str,
    data: Mapping[str, Any],
    *,
    actor: Account,
    idempotency_key: str,
    now: dt.datetime,
) -> int:
    """Carry out a command for an account without drawing the case afterwards; returns the case's version."""
    return store.command(
        case_id, name, data, actor=actor, now=now, idempotency_key=idempotency_key[: store.MAX_KEY]
    ).seq


def _told_who_has_it(problem: Problem, case_id: str, actor: Account) -> Problem:
    """An officer whose colleague has claimed the task is told so, not that their role is wrong."""
    name = claiming.holder_name(case_id, actor) if problem.code == "command-not-yours" else ""
    return claiming.claimed_by(name, case_id) if name else problem


def command_many(
    case_ids: Sequence[str], name: str, data: Mapping[str, Any], *, actor: Account, key: str, now: dt.datetime
) -> dict[str, Problem | None]:
    """Carry out one command on many cases (a bulk review), each in its own transaction; says which were refused, why."""
    found: dict[str, Problem | None] = {}
    for case_id in dict.fromkeys(case_ids):
        try:
            access_case(case_id, actor, now)
            store.command(case_id, name, data, actor=actor, now=now, idempotency_key=f"{key}:{case_id}"[:120])
            found[case_id] = None
        except Problem as problem:
            found[case_id] = _told_who_has_it(problem, case_id, actor)
    return found


def system_command(
    case_id: str, name: str, data: Mapping[str, Any], *, idempotency_key: str, now: dt.datetime
) -> int:
    """Carry out a command of the machine (another context's news for a case); returns the case's version."""
    done = store.each_conflict_once(
        lambda: store.command(case_id, name, data, actor=None, now=now, idempotency_key=idempotency_key)
    )
    return done.seq


def current_pack(pack: str) -> Pack:
    """Return the version of a pack that new cases are opened under."""
    return packs.current(pack).pack


def shows_personal(view: CaseView) -> bool:
    """Return whether a view shows values of the person that the case is about, in clear."""
    return not view.withheld and view.subject_id.startswith("P") and bool(view.values or view.address)


def wire_effects() -> None:
    """Register what this context answers; called once by site/wiring.py."""
    register_effect("open_case", open_case_effect)
    register_effect("notify", notify_effect)
    register_effect("add_party", parties.add_party_effect)
    register_effect("remove_party", parties.remove_party_effect)
    register_effect("request_fee", payments.request_fee_effect)
    register_effect("order_payment", payments.order_payment_effect)
    register_on_end("payments", payments.case_ended)
    register_source("case_fact", case_fact_source)
    parts.wire()
