"""Forms of operations."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ReportForm(forms.Form):
    """A report of an error on a page."""

    page = forms.CharField(max_length=300, required=False, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("哪里有错"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("请不要写身份证号等个人信息。数据本身有误，请在“我的数据”里提出异议。"),
    )
    contact = forms.CharField(
        label=_("联系方式"), max_length=120, required=False, help_text=_("需要答复时填写，只用于答复。")
    )


class SettleForm(forms.Form):
    """What was done about a report."""

    answer = forms.CharField(label=_("处理结果"), max_length=500)
