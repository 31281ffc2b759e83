"""The form by which a holder chooses what to show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.certificates.presenting import LIVES, Choice

LIFE_WORDS = {
    "10m": _("10 分钟"),
    "1h": _("1 小时"),
    "1d": _("1 天"),
    "7d": _("7 天"),
    "30d": _("30 天"),
}


class ShowForm(forms.Form):
    """What to disclose, to whom, for what, how long. Nothing is chosen beforehand."""

    disclosed = forms.MultipleChoiceField(
        label=_("出示哪些内容"),
        help_text=_("只有勾选的内容会被看到。只需证明年龄时，不必出示出生日期。"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("请至少选择一项。")},
    )
    audience = forms.CharField(
        label=_("出示给谁"),
        max_length=200,
        help_text=_("例如 宝安区某餐饮店。对方会看到这里写的名字，别人拿去就不能用。"),
        error_messages={"required": _("请写明出示给谁。")},
    )
    purpose = forms.CharField(label=_("用途"), max_length=200, required=False)
    life = forms.ChoiceField(
        label=_("有效多久"),
        choices=[(code, LIFE_WORDS[code]) for code in LIVES],
        initial="1h",
        widget=forms.RadioSelect,
        help_text=_("到期自动失效，也可以随时收回。"),
    )
    nonce = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)

    def __init__(self, choices: list[Choice], language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = "en" if language.startswith("en") else "zh"
        field = self.fields["disclosed"]
        field.choices = [(each.name, _line(each, words)) for each in choices]  # type: ignore[attr-defined]


def _line(choice: Choice, words: str) -> str:
    label, value = (
        choice.label.get(words) or choice.label["zh"],
        choice.value.get(words) or choice.value["zh"],
    )
    return f"{label}：{value}" if words == "zh" else f"{label}: {value}"
