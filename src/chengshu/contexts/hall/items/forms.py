"""The officer's form for a guide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.hall.items.elements import AUDIENCES, KINDS, Mistake, cited

UNITS = [("工作日", _("工作日")), ("自然日", _("自然日"))]
_GROUND = re.compile(r"^《([^《》]+)》\s*(第\S*)?$|^([^《》\s]+)$")


class Lines(forms.CharField):
    """A list, one entry a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        """Return the lines that hold something."""
        text = super().clean(value) or ""
        return [line.strip() for line in text.splitlines() if line.strip()]


def _kinds() -> list[tuple[str, str]]:
    """Return the kinds to choose from; two codes of one name say their code."""
    names = [names[0] for names in KINDS.values()]
    return [
        (code, f"{zh}（{code}）" if names.count(zh) > 1 else zh) for code, (zh, _english) in KINDS.items()
    ]


class GuideForm(forms.Form):
    """The elements of a guide that its department writes."""

    name = forms.CharField(label=_("事项名称"), max_length=400)
    name_en = forms.CharField(label=_("英文名称"), max_length=400, required=False)
    aliases = Lines(
        label=_("大家怎么叫它"),
        required=False,
        max_length=1_000,
        help_text=_("每行一个，搜索时能找到。例如：开店执照"),
    )
    kind = forms.ChoiceField(label=_("事项类型"), choices=_kinds)
    themes = Lines(label=_("主题"), required=False, max_length=400, help_text=_("每行一个"))
    audiences = forms.MultipleChoiceField(
        label=_("服务对象"),
        choices=[(name, name) for name in AUDIENCES],
        widget=forms.CheckboxSelectMultiple,
    )
    conditions = forms.CharField(
        label=_("谁可以办"), max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 6})
    )
    materials = Lines(label=_("需要带什么"), required=False, max_length=8_000, help_text=_("每行一份材料"))
    legal_basis = forms.CharField(
        label=_("依据"),
        max_length=8_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("每行一项，写明条款。例如：《中华人民共和国食品安全法》第三十五条"),
    )
    statutory_days = forms.IntegerField(label=_("法定时限"), min_value=1, max_value=999, required=False)
    statutory_unit = forms.ChoiceField(label=_("法定时限的单位"), choices=UNITS, required=False)
    promised_days = forms.IntegerField(label=_("承诺时限"), min_value=0, max_value=999, required=False)
    promised_unit = forms.ChoiceField(label=_("承诺时限的单位"), choices=UNITS, required=False)
    fee = forms.CharField(
        label=_("费用"), max_length=2_000, required=False, help_text=_("不收费就写“不收费”")
    )
    windows = Lines(label=_("办理窗口"), required=False, max_length=4_000, help_text=_("每行一个地址和时间"))
    consult_phones = Lines(
        label=_("咨询电话"), required=False, max_length=400, help_text=_("只写单位电话，每行一个")
    )
    visits = forms.IntegerField(label=_("要跑几次"), min_value=0, max_value=9, required=False)
    online = forms.BooleanField(label=_("可以网上办"), required=False)
    online_url = forms.URLField(
        label=_("网上办理地址"), max_length=1_000, required=False, assume_scheme="https"
    )
    courier = forms.BooleanField(label=_("结果可以寄送"), required=False)
    result = forms.CharField(
        label=_("办理结果"), max_length=400, required=False, help_text=_("例如：食品经营许可证")
    )

    def clean_legal_basis(self) -> list[dict[str, str]]:
        """Read each line as a law with its article."""
        found = []
        for line in str(self.cleaned_data["legal_basis"]).splitlines():
            if not line.strip():
                continue
            read = _one(line.strip()) or cited(line)
            if not read:
                raise forms.ValidationError(_("看不懂这一行：%(line)s"), params={"line": line[:40]})
            found += read
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse a promise longer than the law allows, and mobile numbers."""
        data: dict[str, Any] = super().clean() or {}
        statutory, promised = data.get("statutory_days"), data.get("promised_days")
        if statutory is not None and promised is not None and promised > statutory:
            self.add_error("promised_days", _("承诺时限不能长于法定时限。"))
        for name, unit in (("statutory_days", "statutory_unit"), ("promised_days", "promised_unit")):
            data[unit] = (data.get(unit) or "工作日") if data.get(name) is not None else ""
        return data


def _one(line: str) -> list[dict[str, str]]:
    """Read a line that is one law, with all that stands behind it as its article."""
    found = _GROUND.match(line)
    return [{"title": found[1] or found[3], "article": (found[2] or "").rstrip("、，")}] if found else []


def initial_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a body."""
    shown = {name: body.get(name) for name in GuideForm.base_fields}
    shown["legal_basis"] = "\n".join(
        f"《{ground['title']}》{ground.get('article', '')}" for ground in body["legal_basis"]
    )
    return shown


def new_code(area: str, department: str, number: int) -> str:
    """Return a code for an item that a department of this district makes itself."""
    code = f"{area}-{department}-{number:04}"
    if len(code) > 60:
        raise Mistake("code", "too long")
    return code
