"""Forms of the window."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.hall.mandates.forms import TermsForm
from chengshu.contexts.identity.api import Mandate, WindowSession


class FindForm(forms.Form):
    """Identity number and name, both, as they stand on the card."""

    resident_id = forms.CharField(
        label=_("证件号码"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(
        label=_("姓名"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class CodeForm(forms.Form):
    """What the scanner read from the citizen code."""

    code = forms.CharField(
        # A blank is a character of the code like any other.
        label=_("市民码"), max_length=2000, strip=False, help_text=_("把光标放在这里，用扫码枪扫对方手机上的市民码。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class GroundForm(forms.Form):
    """On what ground this person is served."""

    ground = forms.ChoiceField(
        label=_("依据"), choices=WindowSession.Ground.choices, widget=forms.RadioSelect,
        help_text=_("请先核对证件与本人，或核对委托书与代办人证件。"),
    )  # fmt: skip
    proxy_name = forms.CharField(label=_("代办人姓名"), max_length=80, required=False)
    paper = forms.FileField(
        label=_("委托书"), required=False, help_text=_("PDF 或照片；只有代办时需要。"),
        widget=forms.ClearableFileInput(attrs={"accept": "application/pdf,image/*"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ask for the proxy's name and paper where somebody else came."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("ground") == WindowSession.Ground.PROXY:
            for field, text in (("proxy_name", _("请填写代办人姓名。")), ("paper", _("请上传委托书。"))):
                if not data.get(field):
                    self.add_error(field, text)
        return data


class PaperMandateForm(TermsForm):
    """A mandate that somebody brings on paper to the window."""

    basis = forms.ChoiceField(label=_("登记什么"), widget=forms.RadioSelect)
    username = forms.CharField(
        label=_("代办人的用户名"), max_length=60, required=False,
        help_text=_("由本人授权时填写：代办人登录本站用的名字。"), widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    agent_name = forms.CharField(label=_("代办人的姓名"), max_length=80, required=False)
    child_id = forms.CharField(
        label=_("孩子的证件号码"), max_length=20, required=False, help_text=_("登记监护时填写；监护人就是正在服务的人。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    child_name = forms.CharField(label=_("孩子的姓名"), max_length=60, required=False)
    paper = forms.FileField(
        label=_("书面材料"), help_text=_("授权委托书，或户口簿、出生医学证明；PDF 或照片。"),
        widget=forms.ClearableFileInput(attrs={"accept": "application/pdf,image/*"}),
    )  # fmt: skip
    field_order = (
        "basis", "username", "agent_name", "child_id", "child_name", "extent", "matters", "valid_from", "valid_to", "paper",
    )  # fmt: skip

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        kwargs["initial"] = {"basis": Mandate.Basis.GIVEN, **kwargs.get("initial", {})}
        super().__init__(*args, today=today, **kwargs)
        self.fields["basis"].choices = [  # type: ignore[attr-defined]
            (Mandate.Basis.GIVEN, _("正在服务的人授权别人代办")),
            (Mandate.Basis.GUARDIAN, _("正在服务的人是孩子的监护人")),
        ]
        self.fields["valid_to"].required = False
        self.fields["valid_to"].help_text = _("当天也有效，最长三年；监护到孩子满十八周岁前一天，不用填。")

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen kind needs."""
        data = super().clean()
        guardian = data.get("basis") == Mandate.Basis.GUARDIAN
        needed = ("child_id", "child_name") if guardian else ("username", "agent_name", "valid_to")
        for field in needed:
            if not data.get(field) and field not in self.errors:
                self.add_error(field, _("请填写这一项。"))
        return data


ASKED, ASKED_TEXT = "asked", _n("本人当面要求")
# Why a guardianship ends before the child is of age; what is chosen stands in the mandate's history.
GROUNDS = {
    "court": _n("人民法院撤销监护人资格或另行指定监护人"),
    "agreed": _n("依法有监护资格的人之间协议变更监护人"),
    "unfit": _n("监护人丧失监护能力"),
    "capable": _n("被监护人已有完全民事行为能力"),
    "mistaken": _n("登记有误"),
}


class EndMandateForm(forms.Form):
    """On what ground a mandate or a guardianship ends at the window."""

    ground = forms.ChoiceField(label=_("依据"), widget=forms.RadioSelect)
    paper = forms.CharField(
        label=_("文书名称、文号或说明"), max_length=200, help_text=_("写明看过的材料；双方都会看到。")
    )

    def __init__(self, *args: Any, guardian: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(key, gettext(text)) for key, text in GROUNDS.items()]
        self.fields["ground"].choices = (  # type: ignore[attr-defined]
            choices if guardian else [(ASKED, gettext(ASKED_TEXT))]
        )
        self.fields["ground"].initial = "" if guardian else ASKED

    def reason(self) -> str:
        """Return ground and paper as they go on record."""
        ground = GROUNDS.get(self.cleaned_data["ground"], ASKED_TEXT)
        return f"{ground}：{self.cleaned_data['paper'].strip()}"
