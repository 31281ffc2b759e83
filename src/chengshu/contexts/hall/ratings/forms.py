"""Forms of ratings: two short pages, the grade first, then what belongs to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.hall.ratings.domain import FAIR, reasons_of
from chengshu.contexts.hall.ratings.giving import MOST_COMMENT


class ReasonsForm(forms.Form):
    """What a person says beside the grade; the list of reasons hangs on the grade."""

    reasons = forms.MultipleChoiceField(
        label=_("原因（可选几项）"), required=False, widget=forms.CheckboxSelectMultiple
    )
    comment = forms.CharField(
        label=_("意见"), required=False, max_length=MOST_COMMENT, widget=forms.Textarea(attrs={"rows": 4})
    )
    anonymous = forms.BooleanField(label=_("匿名评价"), required=False)
    contact = forms.RegexField(
        r"^1\d{10}$",
        label=_("回访电话"),
        required=False,
        max_length=20,
        help_text=_("留下电话，整改以后有人回访您。"),
    )

    def __init__(self, *args: Any, grade: int, account: bool, again: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(code, translated(text)) for code, text in reasons_of(grade).items()]
        self.fields["reasons"].choices = choices  # type: ignore[attr-defined]
        self.fields["anonymous"].help_text = (
            translated("匿名的，没有人知道是谁；您会得到一个回执号，凭它看整改结果。") if grade < FAIR else ""
        )
        if account or grade >= FAIR or again:
            # Who is signed in can be told on their page; only a bad grade is called back.
            del self.fields["contact"]
        if again:
            del self.fields["anonymous"]

    def clean(self) -> dict[str, Any]:
        """An anonymous person leaves no number."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("anonymous") and data.get("contact"):
            self.add_error("contact", translated("匿名评价不留电话。"))
        return data


class ReceiptForm(forms.Form):
    """The receipt of an anonymous rating."""

    code = forms.CharField(label=_("回执号"), max_length=40, help_text=_("评价以后显示的 16 位字母数字"))
