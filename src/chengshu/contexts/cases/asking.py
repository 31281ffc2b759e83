"""Asking for a case: one door for the pages, the drafts and the calls, so that none of them takes what another refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from chengshu.contexts.cases import files, packs, routing, services, store
from chengshu.contexts.cases.command_forms import FieldsForm
from chengshu.contexts.cases.form_fields import RowsWidget
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.procedure.machine import begin
from chengshu.procedure.model import Pack

CODES = {"required": "required", "invalid_choice": "not-an-option", "max_length": "too-long"}


def open_asked(
    pack_id: str,
    facts: Mapping[str, Any],
    account: identity.Account,
    *,
    now: dt.datetime,
    idempotency_key: str,
    department: str | None = None,
    subject_id: str | None = None,
    on_behalf: Mapping[str, Any] | None = None,
    stored: Sequence[files.Stored] = (),
) -> str:
    """Open the case that a person asks for; what is wrong comes back at once as ``form-invalid`` with ``errors`` by field.

    ``stored`` are files that were kept beside the answers (a draft's); other files the answers name by their digests.
    """
    known = store.case_of_key(idempotency_key)
    if known is not None:
        return known
    check_asked(pack_id, facts, account, now=now, department=department, stored=stored)
    return store.open_case(
        pack_id, facts, opened_by=account, department=department, subject_id=subject_id,
        idempotency_key=idempotency_key, now=now, stored=stored, asked=True, on_behalf=on_behalf,
    )  # fmt: skip


def check_asked(
    pack_id: str,
    facts: Mapping[str, Any],
    account: identity.Account,
    *,
    now: dt.datetime,
    department: str | None = None,
    stored: Sequence[files.Stored] = (),
) -> None:
    """Refuse what ``open_asked`` refuses by the answers alone; needs no transaction, so that no writer waits for it."""
    pack = packs.current(pack_id).pack
    if (refusal := services.refusal(pack, account, now)) is not None:
        raise refusal
    _check(pack, facts, stored, account, department or account.department_id or "", now)


def subject_of(acting: identity.Acting) -> str | None:
    """Return whom a case is about that is asked for: whoever is acted for, else the resident who asks."""
    own = acting.account.role == "resident"
    return (acting.subject_id or None) if acting.for_other or own else None


def _check(
    pack: Pack,
    facts: Mapping[str, Any],
    stored: Sequence[files.Stored],
    account: identity.Account,
    department: str,
    now: dt.datetime,
) -> None:
    """Judge the answers as the page judges its form; where it objects, what the engine objects to is told as well."""
    errors = _objections(pack, facts, stored, account, now)
    if not errors:
        return
    try:
        begin(pack, "", facts, routing.actor_opening(pack, account, department), now)
    except Problem as problem:
        errors |= problem.extra.get("errors", {})
    raise Problem(
        "form-invalid", _("有些内容需要再看一下"), status=422, errors=errors,
        detail="; ".join(f"{name}: {error['text']}" for name, error in errors.items()),
    )  # fmt: skip


def _objections(
    pack: Pack,
    facts: Mapping[str, Any],
    stored: Sequence[files.Stored],
    account: identity.Account,
    now: dt.datetime,
) -> dict[str, dict[str, str]]:
    papers = {
        name: list(value) if isinstance(value, list | tuple) else []
        for name, value in facts.items()
        if name in pack.facts and pack.facts[name].type.kind == "files"
    }
    for item in stored:
        papers.setdefault(item.field, []).append(item)
    form = services.Opening(pack, account, facts, papers, now)
    fields = form.all_fields()
    unasked = set(facts) - {item.name for item in fields}
    errors = {name: {"code": "unknown", "text": _("表单没有这一项")} for name in sorted(unasked)}
    # What only its source says may be missing: it is filled, or objected to, when the case is opened.
    judged = [item for item in form.asked(fields) if item.name in facts or not _sourced(item)]
    for name, most in ((item.name, item.most) for item in fields if item.type.kind == "files"):
        if len(papers.get(name, ())) > most:
            errors[name] = {"code": "too-long", "text": _("文件过多")}
    return errors | _of_form(form.judged(judged))


def _sourced(item: Any) -> bool:
    return item.prefill is not None and item.prefill.only


def _of_form(form: FieldsForm) -> dict[str, dict[str, str]]:
    found = {}
    for name, wrong in form.errors.as_data().items():
        widget = form.fields[name].widget if name in form.fields else None
        if isinstance(widget, RowsWidget) and widget.wrong:
            for (row, column), text in widget.wrong.items():
                found[f"{name}.{row}.{column}"] = {"code": "wrong-type", "text": text}
            continue
        code = CODES.get(_first_code(wrong), "wrong-type")
        found[name] = {"code": code, "text": " ".join(form.errors[name])}
    return found


def _first_code(wrong: Sequence[forms.ValidationError]) -> str:
    return next((str(each.code) for each in wrong if getattr(each, "code", None)), "")
