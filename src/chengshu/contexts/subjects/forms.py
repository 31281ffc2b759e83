"""Forms of the subjects pages; they check shape, the api decides."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_AREA = forms.Textarea(attrs={"rows": 3})


class CorrectionForm(forms.Form):
    """A data steward's correction by hand."""

    value = forms.CharField(
        label=_("正确的值"), max_length=300, required=False, help_text=_("留空表示没有这项信息")
    )
    reason = forms.CharField(label=_("依据"), max_length=300, widget=_AREA)


class DisputeForm(forms.Form):
    """A department stands by its value."""

    reason = forms.CharField(label=_("异议的理由"), max_length=500, widget=_AREA)


class DecisionForm(forms.Form):
    """The decider's word on a dispute."""

    uphold = forms.ChoiceField(
        label=_("决定"),
        choices=[("yes", _("异议成立")), ("no", _("异议不成立"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("理由"), max_length=300, widget=_AREA)


class HaltForm(forms.Form):
    """Which source nothing is taken from, and why."""

    source = forms.ChoiceField(label=_("数源"))
    kind = forms.ChoiceField(
        label=_("情形"),
        choices=[
            ("down", _("暂不可用：系统停机、数据有误")),
            ("withdrawn", _("已停止共享：部门收回，或者协议到期")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("原因"), max_length=300, widget=_AREA)

    def __init__(self, *args: object, choices: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = choices


class ResumeForm(forms.Form):
    """Why a source may be used again."""

    reason = forms.CharField(label=_("恢复的原因"), max_length=300, widget=_AREA)


class UnlinkForm(forms.Form):
    """Which records are someone else's, and why."""

    records = forms.MultipleChoiceField(label=_("不属于该对象的记录"), widget=forms.CheckboxSelectMultiple)
    reason = forms.CharField(label=_("理由"), max_length=500, widget=_AREA)

    def __init__(self, *args: object, choices: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["records"].choices = choices


class LinkForm(forms.Form):
    """Which other subject is the same, and why."""

    other = forms.CharField(label=_("另一个对象的编号"), max_length=24)
    reason = forms.CharField(label=_("理由"), max_length=500, widget=_AREA)
