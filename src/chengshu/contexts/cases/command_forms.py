"""Django forms made from a pack's form: packs bring fields, never code."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from chengshu.contexts.cases.domain import CommandView, FieldView, FileIn

RADIO_UP_TO = 7
_ERRORS = {
    "required": gettext_noop("请填写这一项"),
    "not-an-option": gettext_noop("请从给出的选项中选择"),
    "too-long": gettext_noop("内容过长或文件过多"),
    "wrong-type": gettext_noop("格式不正确"),
    "unknown": gettext_noop("表单没有这一项"),
    "too-large": gettext_noop("文件过大"),
}


class ManyFiles(forms.ClearableFileInput):
    """Several files in one field; on a phone the camera opens."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """A list of uploaded files, at most ``most`` of them."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        self.most = most
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """Check each file by itself; their content is checked where they are stored."""
        sent = [item for item in (data if isinstance(data, list | tuple) else [data]) if item]
        if self.required and not sent:
            raise forms.ValidationError(_(_ERRORS["required"]))
        if len(sent) > self.most:
            raise forms.ValidationError(_("最多 %(most)s 个文件") % {"most": self.most})
        return [super(FilesField, self).clean(item, initial) for item in sent]


class CommandForm(forms.Form):
    """One command of a case. ``version`` is what the worker saw; ``key`` makes pressing twice harmless."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, command: CommandView, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.command = command
        for field in command.fields:
            self.fields[field.name] = _field(field)

    def data_for_engine(self) -> dict[str, Any]:
        """Return what was filled in, in the engine's plain types; files go their own way."""
        found: dict[str, Any] = {}
        for field in self.command.fields:
            value = self.cleaned_data.get(field.name)
            if field.kind != "files" and value not in (None, ""):
                found[field.name] = value.isoformat() if field.kind == "date" else value
        return found

    def files_for_engine(self) -> list[FileIn]:
        """Return the files that were sent."""
        return [
            FileIn(item.name or "file", item.read(), field.name)
            for field in self.command.fields
            if field.kind == "files"
            for item in self.cleaned_data.get(field.name) or []
        ]

    def take_errors(self, errors: dict[str, dict[str, str]]) -> None:
        """Show the engine's objections at their fields."""
        for name, error in errors.items():
            text = _(_ERRORS.get(error["code"], _ERRORS["wrong-type"]))
            self.add_error(name if name in self.fields else None, text)


def _said(value: dict[str, str]) -> str:
    language = "en" if (get_language() or "").startswith("en") else "zh"
    return value.get(language) or value.get("zh", "")


def _field(field: FieldView) -> forms.Field:
    shared: dict[str, Any] = {
        "label": _said(field.label),
        "help_text": _said(field.help),
        "required": field.required,
        "initial": field.value,
        "error_messages": {"required": _(_ERRORS["required"]), "invalid_choice": _(_ERRORS["not-an-option"])},
    }
    if field.kind == "choice":
        choices = [(name, _said(text)) for name, text in field.choices]
        few = len(choices) <= RADIO_UP_TO
        if not few or not field.required:
            choices = [("", _("请选择")), *choices]
        return forms.ChoiceField(choices=choices, widget=forms.RadioSelect if few else forms.Select, **shared)
    if field.kind == "files":
        accept = "image/jpeg,image/png,image/webp" if field.accept == "photo" else "image/*,application/pdf"
        return FilesField(
            most=field.most, widget=ManyFiles(attrs={"accept": accept, "capture": "environment"}), **shared
        )
    if field.kind in ("integer", "money"):
        return forms.IntegerField(widget=forms.NumberInput(attrs={"inputmode": "numeric"}), **shared)
    if field.kind == "boolean":
        return forms.BooleanField(**shared)
    if field.kind == "date":
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), **shared)
    widget: forms.Widget = forms.Textarea(attrs={"rows": 4}) if field.long else forms.TextInput()
    return forms.CharField(max_length=field.most, widget=widget, **shared)


class ReassignForm(forms.Form):
    """Who gets the work, and why."""

    account = forms.ChoiceField(label="")
    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, accounts: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"] = forms.ChoiceField(label=_("改派给"), choices=[("", _("请选择")), *accounts])
        self.fields["reason"].label = _("原因")


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
