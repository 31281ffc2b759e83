"""Django forms made from a pack's fields: packs bring fields, never code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from chengshu.contexts.cases.domain import CommandView, FieldView, FileIn
from chengshu.contexts.cases.form_fields import RowsWidget, error_text, form_field, plain, said
from chengshu.kernel.problems import Problem
from chengshu.procedure.formats import HUNDREDTHS

Seen = Callable[[Mapping[str, Any]], set[str]]


class FieldsForm(forms.Form):
    """Fields of a pack. ``seen`` says which of them are asked, given the answers; ``have`` which files are there already."""

    def __init__(
        self,
        fields: Sequence[FieldView],
        *args: Any,
        seen: Seen | None = None,
        have: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.views = {view.name: view for view in fields}
        self.have = set(have)
        for view in fields:
            self.fields[view.name] = form_field(view)
            if view.name in self.have:
                self.fields[view.name].required = False
        self.unseen: set[str] = set()
        if seen is not None:
            self._look(seen)

    def _look(self, seen: Seen) -> None:
        """Ask only what the answers so far call for: what is not asked is not required either."""
        given = (
            self.answers()
            if self.is_bound
            else {n: self.get_initial_for_field(f, n) for n, f in self.fields.items()}
        )
        asked = seen({name: value for name, value in given.items() if name in self.views})
        self.unseen = {name for name, view in self.views.items() if view.conditional and name not in asked}
        for name in self.unseen:
            self.fields[name].required = False
        self._errors = None

    @property
    def conditional(self) -> bool:
        """Say whether some field depends on another answer."""
        return any(view.conditional for view in self.views.values())

    @property
    def scripted(self) -> bool:
        """Say whether a script makes the form quicker: fields that come and go, addresses that are looked up."""
        return self.conditional or any(
            getattr(each.widget, "needs_htmx", False) for each in self.fields.values()
        )

    def answers(self) -> dict[str, Any]:
        """Return everything that was typed: in the engine's plain types where it fits, else as it was typed."""
        found: dict[str, Any] = {}
        for name, view in self.views.items():
            if view.kind == "files":
                continue
            field = self.fields[name]
            value = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            try:
                clean = plain(view.kind, field.clean(value))
            except forms.ValidationError:
                clean = value
            if clean not in (None, "", []):
                found[name] = clean
        return found

    def data_for_engine(self) -> dict[str, Any]:
        """Return what was filled in and is asked, in the engine's plain types; files go their own way."""
        found: dict[str, Any] = {}
        for name, view in self.views.items():
            if view.kind == "files" or name in self.unseen:
                continue
            value = plain(view.kind, self.cleaned_data.get(name))
            if value not in (None, "", []):
                found[name] = value
        return found

    def files_for_engine(self) -> list[FileIn]:
        """Return the files that were sent."""
        return [
            FileIn(item.name or "file", item.read(), name)
            for name, view in self.views.items()
            if view.kind == "files" and name not in self.unseen
            for item in self.cleaned_data.get(name) or []
        ]

    def take_errors(self, errors: Mapping[str, Mapping[str, Any]]) -> None:
        """Show the engine's objections at their fields; an objection to a cell goes to its row as well."""
        for key, error in errors.items():
            name, _dot, cell = key.partition(".")
            text = self._error_text(name, error)
            if name not in self.fields:
                self.add_error(None, text)
                continue
            number, _dot, column = cell.partition(".")
            widget = self.fields[name].widget
            if isinstance(widget, RowsWidget) and number.isdecimal() and column in widget.columns:
                widget.wrong[int(number), column] = text
                text = _("第 %(row)s 行“%(column)s”：%(error)s") % {
                    "row": int(number) + 1, "column": widget.columns[column].label, "error": text,
                }  # fmt: skip
            self.add_error(name, text)

    def take_problem(self, problem: Problem, in_words: str) -> None:
        """Show a refusal: at the fields it names, else above the form."""
        if errors := problem.extra.get("errors"):
            self.take_errors(errors)
        else:
            self.add_error(None, in_words)

    def _error_text(self, name: str, error: Mapping[str, Any]) -> str:
        view = self.views.get(name)
        if "said" in error:
            return said(error["said"])
        if error["code"] == "check" and view is not None and said(view.check):
            return said(view.check)
        if view is not None and view.kind == "files" and error["code"] not in ("required", "too-long"):
            # Whoever stores files says what is wrong with this one.
            return str(error.get("text") or error_text(error["code"]))
        return error_text(error["code"])


class CommandForm(FieldsForm):
    """One command of a case. ``version`` is what the worker saw; ``key`` makes pressing twice harmless."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, command: CommandView, *args: Any, **kwargs: Any) -> None:
        super().__init__(command.fields, *args, **kwargs)
        self.command = command


def posted(fields: Sequence[FieldView], answers: Mapping[str, Any]) -> MultiValueDict[str, Any]:
    """Return kept answers as a browser would send them, so that a form can judge them."""
    sent: MultiValueDict[str, Any] = MultiValueDict()
    for view in fields:
        value = answers.get(view.name)
        if value is None:
            continue
        if view.kind == "rows":
            rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
            sent[f"{view.name}-count"] = str(len(rows))
            for number, row in enumerate(rows):
                for column in view.columns:
                    sent[f"{view.name}-{number}-{column.name}"] = _sent(column, row.get(column.name))
        elif isinstance(value, list):
            sent.setlist(view.name, value if view.choices else ["\n".join(map(str, value))])
        else:
            sent[view.name] = _sent(view, value)
    return sent


def _sent(view: FieldView, value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if (view.kind == "money" or view.format == HUNDREDTHS) and isinstance(value, int):
        # An integer is fen that were kept; a text is what somebody typed.
        return f"{value // 100}.{value % 100:02d}" if value >= 0 else f"-{-value // 100}.{-value % 100:02d}"
    return "" if value is None else value


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("原因")


class ReassignForm(ReasonForm):
    """Who gets the work, and why."""

    account = forms.ChoiceField(label="")
    field_order = ("account", "reason")

    def __init__(self, accounts: list[tuple[str, str]], *args: Any, label: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"] = forms.ChoiceField(
            label=label or _("改派给"), choices=[("", _("请选择")), *accounts]
        )
        self.order_fields(self.field_order)


class HandOverForm(forms.Form):
    """Whose open work goes to whom, and why."""

    def __init__(self, accounts: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["leaver"] = forms.ChoiceField(label=_("谁的任务"), choices=[("", _("请选择")), *accounts])
        self.fields["to"] = forms.ChoiceField(
            label=_("交给谁"),
            required=False,
            choices=[("", _("各网格现在的负责人")), *accounts],
            help_text=_("不选时按网格现在的负责人逐件交接；没有人的网格进入“无人网格”列表"),
        )
        self.fields["reason"] = forms.CharField(
            label=_("原因"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
        )


class CommentForm(forms.Form):
    """A remark among the staff."""

    text = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("内部备注")
        self.fields["text"].help_text = _("只有工作人员看得到，不进入办件决定")
