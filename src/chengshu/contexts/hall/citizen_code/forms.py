"""The form by which an operator enrols a device."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.identity import api as identity


class EnrolForm(forms.Form):
    """What the device says of itself, and where it stands."""

    request = forms.CharField(
        label=_("设备的登记信息"),
        help_text=_("在设备上运行 chengshu code device，把它打印的一行贴在这里。"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        max_length=2_000,
    )
    department = forms.ChoiceField(label=_("所属部门"))
    place = forms.CharField(
        label=_("放在哪里"), max_length=120, help_text=_("例如 新安街道办事大厅 3 号窗口")
    )
    days = forms.IntegerField(label=_("授权多少天"), min_value=1, max_value=366, initial=180)

    def __init__(self, language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        english = language.startswith("en")
        rows = [(row.code, row.name_en if english else row.name_zh) for row in identity.departments()]
        self.fields["department"].choices = rows  # type: ignore[attr-defined]

    def clean_request(self) -> dict[str, Any]:
        """Read the line that the device has printed."""
        try:
            said = json.loads(self.cleaned_data["request"])
        except ValueError as error:
            raise forms.ValidationError(_("这不是设备打印的登记信息。")) from error
        if not isinstance(said, dict):
            raise forms.ValidationError(_("这不是设备打印的登记信息。"))
        return said
