"""Forms of the provider's pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.interfaces.oidc.words import SCOPE_WORDS


class SystemForm(forms.Form):
    """Registers a system."""

    name = forms.CharField(label=_("系统名称"), max_length=120, help_text=_("人们在同意页上看到的名字"))
    name_en = forms.CharField(label=_("英文名称"), max_length=120, required=False)
    purpose = forms.CharField(
        label=_("用途"), max_length=200, help_text=_("一句话，说明为什么需要这些信息；显示在同意页上")
    )
    contact = forms.CharField(label=_("联系人"), max_length=120, required=False)
    redirect_uris = forms.CharField(
        label=_("回调地址"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("一行一个，须与请求里的完全一致；除本机调试外须是 https"),
    )
    post_logout_redirect_uris = forms.CharField(
        label=_("退出后的地址"), widget=forms.Textarea(attrs={"rows": 2}), required=False
    )
    scopes = forms.MultipleChoiceField(
        label=_("可以请求的信息"),
        choices=[(scope, _(text)) for scope, text in SCOPE_WORDS.items() if scope != "openid"],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("只选办事必需的"),
    )
    public = forms.BooleanField(label=_("公开客户端（手机应用、网页脚本，保管不了密钥）"), required=False)

    def clean_redirect_uris(self) -> list[str]:
        """Return the addresses one by one."""
        return self.cleaned_data["redirect_uris"].split()

    def clean_post_logout_redirect_uris(self) -> list[str]:
        """Return the addresses one by one."""
        return self.cleaned_data["post_logout_redirect_uris"].split()
