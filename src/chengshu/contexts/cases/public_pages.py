"""What the public may do with a case, as a part of any page: its forms drawn and taken by one function.

A page calls ``panel = public_panel(request, case_id, back=request.path)``; a response is returned as it is (a form was
taken), anything else goes to ``{% include "cases/_public.html" %}`` as ``panel``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from chengshu.contexts.cases import packs, public, rows
from chengshu.contexts.cases.case_page import asked_in
from chengshu.contexts.cases.command_forms import CommandForm
from chengshu.contexts.cases.domain import CommandView
from chengshu.contexts.cases.field_views import field_view
from chengshu.contexts.cases.form_fields import said
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.cases.wording import both, grounds
from chengshu.contexts.identity.api import may_act
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack, Transition


@dataclass(slots=True)
class PublicPanel:
    """The steps that the public may take now, each with its form; ``sign_in`` when one must sign in first."""

    commands: list[tuple[CommandView, CommandForm]] = field(default_factory=list)
    sign_in: bool = False
    wrong: bool = False


def public_panel(request: HttpRequest, case_id: str, *, back: str) -> PublicPanel | HttpResponse:
    """Return the panel of a case, or the answer to a form of it that was sent."""
    now = timezone.now()
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    if not may_act(request.user):
        return PublicPanel(sign_in=_any_public(pack, row.state))
    panel = PublicPanel()
    sent = request.POST.get("public_command", "") if request.method == "POST" else ""
    for step in public.public_commands(case_id, request.user, now):
        command = _command(pack, step)
        asked = asked_in(case_id, step.command, request.user, now)
        if step.command == sent:
            form = CommandForm(command, request.POST, request.FILES, seen=asked, prefix=step.command)
            if request.POST.get("rows"):
                # A button that adds or drops a row: nothing is judged yet.
                form._errors = ErrorDict()
            elif form.is_valid() and _taken(request, case_id, form):
                return redirect(back)
            panel.wrong = True
        else:
            initial = {"version": row.version, "key": uuid.uuid4().hex}
            form = CommandForm(command, initial=initial, seen=asked, prefix=step.command)
        panel.commands.append((command, form))
    return panel


def _any_public(pack: Pack, state: str) -> bool:
    roles = {name for name, role in pack.roles.items() if role.holder == "public"}
    return any(step.by & roles and state in step.sources for step in pack.transitions)


def _command(pack: Pack, step: Transition) -> CommandView:
    # What a case was opened with is not the public's business: its form starts empty.
    fields: list[Any] = (
        [field_view(pack, item, {}) for item in step.form.fields.values()] if step.form else []
    )
    return CommandView(
        step.command,
        both(pack, f"commands.{step.command}"),
        both(pack, f"help.{step.command}"),
        fields,
        grounds(pack, step.cite),
    )


def _taken(request: HttpRequest, case_id: str, form: CommandForm) -> bool:
    try:
        receipt = public.public_command(
            case_id,
            form.command.name,
            form.data_for_engine(),
            actor=request.user,
            now=timezone.now(),
            idempotency_key=form.cleaned_data["key"],
            files_in=form.files_for_engine(),
        )
    except Problem as problem:
        if problem.status >= 500 and not problem.extra.get("errors"):
            raise
        form.take_problem(problem, in_words(problem))
        return False
    number = receipt.opened[0] if receipt.opened else f"{receipt.case_id}-{receipt.seq}"
    messages.success(
        request,
        _("已收到：%(command)s。回执号 %(number)s，存证 %(leaf)s。")
        % {"command": said(form.command.title), "number": number, "leaf": receipt.leaf_id},
    )
    return True
