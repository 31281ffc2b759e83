"""Forms of mandates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.identity.api import Terms

EVERY, SOME = "every", "some"
A_YEAR = timedelta(days=365)


class DateInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TermsForm(forms.Form):
    """In which matters, and until when."""

    extent = forms.ChoiceField(
        label=_("可以代办哪些事"),
        choices=[(SOME, _("只限下面选的事项")), (EVERY, _("所有事项"))],
        initial=SOME,
        widget=forms.RadioSelect,
    )
    matters = forms.MultipleChoiceField(
        label=_("事项"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("可以选多个。")
    )
    valid_from = forms.DateField(label=_("从哪天起"), widget=DateInput)
    valid_to = forms.DateField(label=_("到哪天止"), widget=DateInput, help_text=_("当天也有效，最长三年。"))

    def __init__(self, *args: Any, matters: Sequence[tuple[str, str]], today: date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {})
        kwargs["initial"] = {"valid_from": today, "valid_to": today + A_YEAR, **kwargs["initial"]}
        super().__init__(*args, **kwargs)
        self.fields["matters"].choices = list(matters)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for at least one matter unless all are covered."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("extent") == SOME and not data.get("matters"):
            self.add_error("matters", _("请至少选择一个事项。"))
        return data

    def terms(self) -> Terms:
        """Return what was agreed."""
        data = self.cleaned_data
        every = data["extent"] == EVERY
        scope = () if every else tuple(data["matters"])
        return Terms(scope, every, data["valid_from"], data["valid_to"])


class GiveForm(TermsForm):
    """Who may act for me, or for the firm that I represent."""

    principal = forms.ChoiceField(label=_("为谁授权"), widget=forms.RadioSelect)
    username = forms.CharField(
        label=_("对方的用户名"),
        max_length=60,
        help_text=_("对方登录本站用的名字，请当面或打电话问清。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    name = forms.CharField(
        label=_("对方的姓名"), max_length=80, help_text=_("要与对方账户上的姓名一致，以免授权给了别人。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    field_order = ("principal", "username", "name", "extent", "matters", "valid_from", "valid_to")

    def __init__(self, *args: Any, principals: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        kwargs["initial"] = {"principal": principals[0][0] if principals else "", **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.fields["principal"].choices = list(principals)  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why a mandate is declined or ends."""

    reason = forms.CharField(label=_("原因"), max_length=300, required=False, help_text=_("对方会看到。"))
