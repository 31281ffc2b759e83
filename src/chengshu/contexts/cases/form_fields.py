"""Django fields for the kinds of fields that packs have: money in yuan, yes or no, lists, rows, accounts, files."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from chengshu.contexts.cases.domain import FieldView
from chengshu.contexts.cases.place_field import PlaceField, holds_place
from chengshu.contexts.identity import api as identity
from chengshu.kernel.ethnic_groups import ETHNIC_GROUPS
from chengshu.kernel.money import bare_yuan
from chengshu.procedure.formats import HUNDREDTHS

RADIO_UP_TO = 7
FEN = 100
MOST_YUAN = Decimal(2**53 // FEN)
ERRORS = {
    "required": gettext_noop("请填写这一项"),
    "not-an-option": gettext_noop("请从给出的选项中选择"),
    "too-long": gettext_noop("内容过长或文件过多"),
    "wrong-type": gettext_noop("格式不正确"),
    "format": gettext_noop("格式不正确"),
    "check": gettext_noop("所填内容不符合要求"),
    "unknown": gettext_noop("表单没有这一项"),
    "too-large": gettext_noop("文件过大"),
    "infected": gettext_noop("查毒发现这个文件有问题，没有收下"),
    "scan-failed": gettext_noop("这个文件现在无法查毒，请稍后再传"),
}
FORMATS = {
    "resident_id": gettext_noop("18 位居民身份证号"),
    "credit_code": gettext_noop("18 位统一社会信用代码"),
    "phone": gettext_noop("手机号或带区号的电话"),
    "email": gettext_noop("例如 name@example.com"),
    "url": gettext_noop("以 https:// 开头的网址"),
    "native_place": gettext_noop("从省份写起，例如广东省深圳市"),
}
ADDRESS_HINT = gettext_noop("写路名和门牌号，或者小区、楼栋和房号，再从地址库给出的地址中选")
# What the browser may fill in by itself, and the keyboard a phone shows.
ATTRIBUTES: dict[str, dict[str, str]] = {
    "phone": {"type": "tel", "autocomplete": "tel", "inputmode": "tel"},
    "email": {"type": "email", "autocomplete": "email", "inputmode": "email"},
    "url": {"type": "url", "inputmode": "url"},
    "resident_id": {"autocomplete": "off", "spellcheck": "false"},
    "credit_code": {"autocomplete": "off", "spellcheck": "false"},
}


def said(value: Mapping[str, str]) -> str:
    """Return a bilingual text in the page's language."""
    language = "en" if (get_language() or "").startswith("en") else "zh"
    return value.get(language) or value.get("zh", "")


def error_text(code: str) -> str:
    """Return what is wrong, in words, for a code of the engine."""
    return _(ERRORS.get(code, ERRORS["wrong-type"]))


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
            raise forms.ValidationError(error_text("required"), code="required")
        if len(sent) > self.most:
            raise forms.ValidationError(_("最多 %(most)s 个文件") % {"most": self.most})
        return [super(FilesField, self).clean(item, initial) for item in sent]


class LinesField(forms.CharField):
    """A list of texts, one a line; ``most`` counts the lines, not their letters."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        self.most = most
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        """Return the lines that say something."""
        lines = value if isinstance(value, list | tuple) else str(value or "").splitlines()
        return [line.strip() for line in lines if str(line).strip()]

    def prepare_value(self, value: Any) -> Any:
        """Show a list one a line."""
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def validate(self, value: Any) -> None:
        """Ask for a line where one is required."""
        if self.required and not value:
            raise forms.ValidationError(error_text("required"), code="required")
        if len(value) > self.most:
            raise forms.ValidationError(_("最多 %(most)s 项") % {"most": self.most}, code="too-long")

    def run_validators(self, value: Any) -> None:
        """Apply the limits to each line."""
        for line in value:
            super().run_validators(line)


class AccountsField(LinesField):
    """Accounts by the name that they sign in with, or staff by the name they go by; residents are never listed."""

    def to_python(self, value: Any) -> Any:
        """Return the sign-in names; a name that nobody has is told beside the field."""
        found = []
        for line in super().to_python(value):
            account = identity.account_named(line) or identity.staff_called(line)
            if account is None:
                raise forms.ValidationError(
                    _("没有这个账户：%(name)s") % {"name": line[:60]}, code="account-unknown"
                )
            found.append(account.username)
        return found


class MoneyField(forms.DecimalField):
    """Money or hundredths: people write yuan or decimals, the engine keeps whole fen or hundredths."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=16,
            decimal_places=2,
            min_value=-MOST_YUAN,
            max_value=MOST_YUAN,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "short"}),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        """Show fen as yuan; what was typed stays as it was typed."""
        return bare_yuan(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        """Return fen."""
        if isinstance(value, int):
            return Decimal(value) / FEN
        return super().to_python(str(value or "").replace(",", "").replace("，", "").strip() or None)


def account_name(value: Any) -> str:
    """Return how people call an account that a pack names by its number or its sign-in name."""
    text = str(value or "")
    found = identity.account(int(text)) if text.isdecimal() else identity.account_named(text)
    return found.shown_name if found else text


class AccountInput(forms.TextInput):
    """An account that the case named already: people read whose it is, the form carries which."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Draw the name beside a hidden field; what is still empty is typed."""
        if not value or (attrs or {}).get("aria-invalid"):
            return super().render(name, value, attrs, renderer)
        hidden = forms.HiddenInput().render(name, value, attrs, renderer)
        return format_html("<span>{}</span>{}", account_name(value), hidden)


class RowsWidget(forms.Widget):
    """Rows with columns. Rows come and go by buttons that submit the form, so no script is needed."""

    template_name = "cases/widgets/rows.html"
    use_fieldset = True

    def __init__(self, columns: Mapping[str, forms.Field], most: int) -> None:
        super().__init__()
        self.columns, self.most = columns, most
        self.wrong: dict[tuple[int, str], str] = {}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        """Read the rows, with the row added or without the row dropped that a button asked for."""
        given = str(data.get(f"{name}-count", "0"))
        count = min(int(given), self.most) if given.isdecimal() and len(given) < 6 else 0
        rows = [
            {
                column: field.widget.value_from_datadict(data, files, f"{name}-{number}-{column}")
                for column, field in self.columns.items()
            }
            for number in range(count)
        ]
        asked = str(data.get("rows", ""))
        if asked == f"{name}:add" and len(rows) < self.most:
            rows.append({})
        for number in range(len(rows)):
            if asked == f"{name}:drop:{number}":
                del rows[number]
                break
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Rows were sent when their number was."""
        return f"{name}-count" not in data

    def id_for_label(self, id_: str) -> str:
        """Return nothing: the legend names the group."""
        return ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the template draws."""
        context = super().get_context(name, value, attrs)
        rows = [row for row in value or [] if isinstance(row, Mapping)]
        context["widget"].update(
            rows=[self._cells(name, number, row) for number, row in enumerate(rows)],
            full=len(rows) >= self.most,
        )
        return context

    def _cells(self, name: str, number: int, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        cells = []
        for column, field in self.columns.items():
            cell, wrong = f"{name}-{number}-{column}", self.wrong.get((number, column), "")
            attrs: dict[str, Any] = {"id": f"id_{cell}"}
            if wrong:
                attrs |= {"aria-invalid": "true", "aria-describedby": f"id_{cell}_error"}
            value = field.prepare_value(row.get(column))
            cells.append(
                {
                    "id": f"id_{cell}",
                    "label": field.label,
                    "required": field.required,
                    "wrong": wrong,
                    "html": field.widget.render(cell, value, attrs),
                }
            )
        return cells


class RowsField(forms.Field):
    """A list of mappings with declared columns, each cell checked by its own field."""

    widget: RowsWidget

    def __init__(self, columns: Mapping[str, FieldView], most: int, **kwargs: Any) -> None:
        self.columns, self.most = columns, most
        made = {name: cell_field(column) for name, column in columns.items()}
        super().__init__(widget=RowsWidget(made, most), **kwargs)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """Return the rows that say something, in the engine's plain types."""
        widget, found = self.widget, []
        widget.wrong = {}
        given = [row for row in value or [] if isinstance(row, Mapping)]
        for number, row in enumerate(given):
            if all(cell in (None, "", "unknown") for cell in row.values()):
                continue
            clean = {}
            for name, field in widget.columns.items():
                try:
                    clean[name] = plain(self.columns[name].kind, field.clean(row.get(name)))
                except forms.ValidationError as error:
                    widget.wrong[number, name] = " ".join(error.messages)
            found.append(clean)
        if widget.wrong:
            raise forms.ValidationError(
                [
                    _("第 %(row)s 行“%(column)s”：%(error)s")
                    % {"row": number + 1, "column": widget.columns[name].label, "error": text}
                    for (number, name), text in widget.wrong.items()
                ]
            )
        if self.required and not found:
            raise forms.ValidationError(_("请至少填写一行"), code="required")
        return found


def plain(kind: str, value: Any) -> Any:
    """Return a cleaned value in the engine's plain types; nothing said is ``None``."""
    if value is None or value == "":
        return None
    if kind == "date":
        return value.isoformat()
    if kind == "boolean":
        return value == "true" if isinstance(value, str) else bool(value)
    if isinstance(value, Decimal):
        return int(value * FEN)
    return value


def form_field(view: FieldView) -> forms.Field:
    """Return the Django field of a pack's field."""
    shared = _shared(view)
    if view.kind == "rows":
        return RowsField({column.name: column for column in view.columns}, view.most, **shared)
    if view.kind == "files":
        # Imported here: what is stored knows this module's errors.
        from chengshu.contexts.cases.files import limits

        photo = view.accept == "photo"
        attrs = {
            "accept": "image/jpeg,image/png,image/webp" if photo else "image/*,application/pdf",
            **({"capture": "environment"} if photo else {}),
        }
        shared["help_text"] = " ".join(filter(None, [shared["help_text"], limits(view.accept, view.most)]))
        return FilesField(most=view.most, widget=ManyFiles(attrs=attrs), **shared)
    if view.kind in ("texts", "accounts"):
        return _list_field(view, shared)
    return cell_field(view)


def cell_field(view: FieldView) -> forms.Field:
    """Return the Django field of a single value; the columns of rows are such."""
    shared, kind = _shared(view), view.kind
    if kind == "choice" or (kind == "text" and view.choices):
        return _choice_field(view, shared)
    if kind == "boolean":
        answers = [("true", _("是")), ("false", _("否"))]
        if not view.required:
            answers.append(("", _("未填")))
        return _YesNo(choices=answers, widget=forms.RadioSelect, **shared)
    if kind == "money" or view.format == HUNDREDTHS:
        return MoneyField(**shared)
    if kind == "integer":
        return forms.IntegerField(
            widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
            min_value=-(2**53) + 1,
            max_value=2**53 - 1,
            **shared,
        )
    if kind == "date":
        widget = forms.DateInput(attrs={"type": "date", "class": "short"}, format="%Y-%m-%d")
        return forms.DateField(widget=widget, **shared)
    if view.format == "ethnic_group":
        return _ethnic_field(shared)
    if holds_place(view):
        return PlaceField(**shared)
    if view.format == "account":
        return forms.CharField(max_length=view.most, widget=AccountInput(), **shared)
    attrs = ATTRIBUTES.get(view.format, {})
    widget_: forms.Widget = forms.Textarea(attrs={"rows": 4}) if view.long else forms.TextInput(attrs=attrs)
    return forms.CharField(max_length=view.most, widget=widget_, **shared)


def _ethnic_field(shared: dict[str, Any]) -> forms.Field:
    choices = [("", _("请选择")), *((name, name) for name in ETHNIC_GROUPS)]
    return forms.ChoiceField(choices=choices, widget=forms.Select, **shared)


class _YesNo(forms.ChoiceField):
    """Yes or no as two radio buttons: a tick box cannot say that nobody answered."""

    def prepare_value(self, value: Any) -> Any:
        """Show a kept answer."""
        return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value

    def to_python(self, value: Any) -> str:
        """Read a kept answer as well as a chosen one."""
        return str(self.prepare_value(value) or "")


def _shared(view: FieldView) -> dict[str, Any]:
    hint = said(view.help)
    if view.format in FORMATS:
        hint = " ".join(filter(None, [hint, _(FORMATS[view.format])]))
    if holds_place(view):
        hint = " ".join(filter(None, [hint, _(ADDRESS_HINT)]))
    if view.kind == "money":
        hint = " ".join(filter(None, [hint, _("单位：元")]))
    return {
        "label": said(view.label),
        "help_text": hint,
        "required": view.required,
        "initial": view.value,
        "error_messages": {"required": _(ERRORS["required"]), "invalid_choice": _(ERRORS["not-an-option"])},
    }


def _choice_field(view: FieldView, shared: dict[str, Any]) -> forms.Field:
    choices = [(name, said(text)) for name, text in view.choices]
    few = len(choices) <= RADIO_UP_TO
    if not few or not view.required:
        choices = [("", _("请选择") if not few else _("不填")), *choices]
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect if few else forms.Select, **shared)


def _list_field(view: FieldView, shared: dict[str, Any]) -> forms.Field:
    if view.choices:
        choices = [(name, said(text)) for name, text in view.choices]
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **shared)
    accounts = view.kind == "accounts"
    hint = _("每行一项")
    if accounts:
        hint = (
            _("填账户名，工作人员也可以填姓名")
            if view.most == 1
            else _("每行一个账户名，工作人员也可以填姓名")
        )
    shared["help_text"] = " ".join(filter(None, [shared["help_text"], hint]))
    widget = forms.TextInput() if view.most == 1 else forms.Textarea(attrs={"rows": 4})
    return (AccountsField if accounts else LinesField)(most=view.most, widget=widget, **shared)
