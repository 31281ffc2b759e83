"""The operator's forms: put an authority on the list, change how it stands, load its revocation list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.certificates.signatures import domain, keeping

JURISDICTIONS = [("HK", _("香港")), ("MO", _("澳门")), ("CN-GD", _("广东"))]
ACTS = [
    ("crl", _("载入吊销列表")),
    ("suspend", _("暂停认可")),
    ("resume", _("恢复认可")),
    ("withdraw", _("停止认可")),
]
LINES = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})


class AuthorityForm(forms.Form):
    """The terms of recognition, as a published trust list gives them."""

    code = forms.SlugField(label=_("代码"), max_length=40, help_text=_("例如 hongkong-post"))
    name = forms.CharField(label=_("名称（中文）"), max_length=120)
    name_en = forms.CharField(label=_("名称（英文）"), max_length=160, required=False)
    jurisdiction = forms.ChoiceField(label=_("法域"), choices=JURISDICTIONS, widget=forms.RadioSelect)
    certificates = forms.FileField(
        label=_("证书（PEM）"),
        help_text=_("签发个人、机构证书的那一张，连同它上面的根证书，放在一个文件里。"),
        widget=forms.ClearableFileInput(attrs={"accept": ".pem,.crt,.cer"}),
    )
    fingerprint = forms.CharField(
        label=_("核对过的 SHA-256 指纹"), max_length=120, help_text=_("其中任何一张证书的指纹")
    )
    policy = forms.CharField(
        label=_("互认策略标识（OID）"),
        max_length=120,
        help_text=_("不含年份、版本和修订三段，例如 2.16.344.8.2.2008.810.2"),
    )
    person = forms.CharField(
        label=_("个人证书的标识"),
        required=False,
        widget=LINES,
        help_text=_("每行一个：策略标识，或证书主体里的 O=…、OU=…"),
    )
    organisation = forms.CharField(label=_("机构证书的标识"), required=False, widget=LINES)
    valid_from = forms.DateField(label=_("认可自"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        label=_("认可至（不填：另行通知）"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    ground = forms.CharField(label=_("依据"), max_length=300, help_text=_("哪一份公布的信任列表、协议或批准"))

    def said(self, now: Any) -> domain.Authority:
        """Return the terms as the list keeps them."""
        data = dict(self.cleaned_data)
        data.pop("fingerprint")
        text = data.pop("certificates").read(200_000).decode("ascii", "replace")
        for name in ("person", "organisation"):
            data[name] = [line for line in data[name].splitlines() if line.strip()]
        return keeping.terms(**data, certificates=[text], now=now)


class ChangeForm(forms.Form):
    """What is to be done with an authority on the list."""

    act = forms.ChoiceField(label=_("要做什么"), choices=ACTS, widget=forms.RadioSelect)
    since = forms.DateTimeField(
        label=_("自何时起（不填：现在）"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("此前的签名照常认可"),
    )
    ground = forms.CharField(label=_("依据"), max_length=300, required=False)
    revocations = forms.FileField(
        label=_("吊销列表（CRL）"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".crl,.pem"}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen act needs."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("act") == "crl" and not data.get("revocations"):
            self.add_error("revocations", _("请选择吊销列表文件。"))
        if data.get("act") in keeping.ACTS and not data.get("ground"):
            self.add_error("ground", _("请写明变更的依据。"))
        return data
