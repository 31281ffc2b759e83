"""Forms of the hall."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class DisputeForm(forms.Form):
    """A resident says that a value is wrong."""

    claimed = forms.CharField(
        label=_("应该是"), max_length=200, required=False, help_text=_("没有这项信息的，空着，勾选下面一项。")
    )
    absent = forms.BooleanField(label=_("我没有这项信息，应当删除"), required=False)
    reason = forms.CharField(
        label=_("依据或说明"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("例如：2025 年 3 月搬家，租赁合同在社区备过案。"),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Ask for the right value, or for the word that there is none; not both."""
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("claimed")) == bool(data.get("absent")):
            self.add_error("claimed", _("请填写正确的内容，或者勾选下面的“没有这项信息”。"))
        return data
