"""Forms of exports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.hall.exports.kinds import KINDS
from chengshu.contexts.identity.api import PURPOSES, PURPOSES_OF_ROLE

LABELS = {
    "department": _("部门代码"),
    "query": _("查询内容"),
    "kind": _("类型（person 或 firm）"),
    "state": _("状态"),
    "direction": _("方向"),
    "run": _("运行"),
    "source": _("数源"),
    "year": _("办结年份"),
}

FORMATS = {"csv": _("CSV 文本"), "xlsx": _("Excel 表格")}
NEEDED = ("query", "run", "source")


class ExportForm(forms.Form):
    """Which list, for what; masked unless it must not be."""

    purpose = forms.ChoiceField(label=_("目的"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("用来做什么"), max_length=300, min_length=6, help_text=_("会写在文件上，也会告诉有关当事人。")
    )
    format = forms.ChoiceField(label=_("文件"), widget=forms.RadioSelect, initial="csv")
    full = forms.BooleanField(
        label=_("需要完整的个人信息"), required=False, help_text=_("不勾选时遮盖姓名、号码和地址。")
    )

    def __init__(self, *args: Any, kind: str, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = sorted(PURPOSES_OF_ROLE[role])
        self.fields["purpose"].choices = [(code, translated(PURPOSES[code])) for code in allowed]  # type: ignore[attr-defined]
        found = KINDS[kind]
        if role not in found.full_roles:
            del self.fields["full"]
        self.fields["format"].choices = [(code, FORMATS[code]) for code in found.formats]  # type: ignore[attr-defined]
        if len(found.formats) == 1:
            del self.fields["format"]
        # The filters of a page come with its link, and stand above the form in words.
        for name in found.filters if found.in_words is None else ():
            if name == "department" and role == "officer":
                continue
            self.fields[name] = forms.CharField(label=LABELS[name], required=name in NEEDED, max_length=100)


class TraceForm(forms.Form):
    """A check code out of a copy."""

    code = forms.CharField(label=_("校验码"), max_length=20)
