"""Forms of identity."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.identity.models import Account

# What a token may be used for; each call of the API names one of these.
SCOPES = {
    "catalogue:read": _("读数据目录"),
    "places:read": _("读地址、网格"),
    "subjects:read": _("读标准记录（个人信息按目的留痕）"),
    "returns:read": _("读更正返还"),
    "returns:write": _("接受或异议更正"),
    "cases:read": _("读任务和办件"),
    "cases:write": _("办理任务和办件"),
    "ledger:read": _("读存证"),
    "staff:provision": _("维护工作人员账户（SCIM，只限区级运行员）"),
    "exports:read": _("读导出"),
    "exports:write": _("申请导出"),
    "mandates:read": _("读授权"),
    "mandates:write": _("给出、接受、撤销授权"),
}
LIVES = {"7": _("7 天"), "30": _("30 天"), "90": _("90 天"), "365": _("一年")}


class SignInForm(forms.Form):
    """Name and password."""

    username = forms.CharField(
        label=_("用户名"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(forms.Form):
    """The old password and a new one, once: a mistyped one shows at the next sign-in, and can be reset."""

    old = forms.CharField(
        label=_("现在的密码"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("新密码"),
        strip=False,
        help_text=_("至少 10 个字符，不要用常见的或和用户名相近的密码。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, account: Account, refusal: Callable[[str], str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account, self.refusal = account, refusal

    def clean_old(self) -> str:
        """Refuse a wrong old password."""
        old: str = self.cleaned_data["old"]
        if refusal := self.refusal(old):
            raise forms.ValidationError(refusal)
        return old

    def clean_new(self) -> str:
        """Refuse a weak new password."""
        new: str = self.cleaned_data["new"]
        validate_password(new, self.account)
        return new


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("验证码或恢复码"),
        max_length=40,
        help_text=_("验证器里的 6 位数字；手机不在身边时，填一个恢复码。"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}),
    )


class FirstCodeForm(forms.Form):
    """The first code of an authenticator that is being set up."""

    code = forms.CharField(
        label=_("验证器现在显示的 6 位数字"),
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class AgainForm(forms.Form):
    """The password again, before a sensitive act."""

    password = forms.CharField(
        label=_("密码"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasskeyForm(forms.Form):
    """What a passkey's device answered; the page's script fills it in."""

    answer = forms.CharField(max_length=20_000, widget=forms.HiddenInput)


class NewPasskeyForm(PasskeyForm):
    """A new passkey, and what its owner calls it."""

    name = forms.CharField(label=_("名称"), max_length=60, help_text=_("例如：我的手机、办公室的密钥"))


class TokenForm(forms.Form):
    """A new API token: name, scopes, life."""

    name = forms.CharField(label=_("用途"), max_length=60, help_text=_("例如：市场监管局回流下载程序"))
    scopes = forms.MultipleChoiceField(
        label=_("可以做什么"), choices=list(SCOPES.items()), widget=forms.CheckboxSelectMultiple
    )
    life = forms.ChoiceField(
        label=_("有效期"), choices=list(LIVES.items()), initial="90", widget=forms.RadioSelect
    )

    def clean_life(self) -> timedelta:
        """Return the life as a span of time."""
        return timedelta(days=int(self.cleaned_data["life"]))
