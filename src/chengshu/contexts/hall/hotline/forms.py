"""Forms of the hotline."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.cases.api import FileIn
from chengshu.contexts.hall.hotline.taking import Asked
from chengshu.kernel.canonical import digest

KIND_TEXTS = [
    ("complaint", _("投诉")),
    ("consultation", _("咨询")),
    ("suggestion", _("建议")),
    ("help", _("求助")),
    ("praise", _("表扬")),
]
TOPIC_TEXTS = [
    ("environment", _("环境卫生、噪声")),
    ("roads", _("道路、路灯")),
    ("housing", _("房屋、物业")),
    ("market", _("消费、食品")),
    ("health", _("医疗卫生")),
    ("school", _("教育")),
    ("transport", _("交通、停车")),
    ("utilities", _("水电气、通信")),
    ("safety", _("安全隐患")),
    ("welfare", _("社会保障、救助")),
    ("service", _("政务服务")),
    ("other", _("其他")),
]
MOST_PHOTO = 12_000_000


class RequestForm(forms.Form):
    """A request to the hotline; a clerk types it for whoever calls."""

    kind = forms.ChoiceField(label=_("类别"), choices=KIND_TEXTS, widget=forms.RadioSelect)
    topic = forms.ChoiceField(label=_("关于什么"), choices=TOPIC_TEXTS)
    content = forms.CharField(
        label=_("请说明"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("什么时候、哪里、什么情况、希望怎样解决"),
    )
    urgent = forms.BooleanField(
        label=_("有危险，需要马上处理"),
        required=False,
        help_text=_("火灾、犯罪、急救请直接拨打 119、110、120"),
    )
    place = forms.CharField(label=_("地点"), max_length=300, required=False)
    photo = forms.FileField(
        label=_("照片"), required=False, help_text=_("一张，JPEG、PNG 或 WebP，不超过 12 MB")
    )
    contact = forms.ChoiceField(
        label=_("怎么联系"),
        choices=[
            ("open", _("留称呼和电话")),
            ("confidential", _("留称呼和电话，对承办部门保密")),
            ("anonymous", _("匿名，凭编号和查询码查看")),
        ],
        widget=forms.RadioSelect,
        initial="open",
        help_text=_("匿名和保密的诉求不记在您的账户里，凭编号和查询码查看进度。"),
    )
    name = forms.CharField(label=_("称呼"), max_length=60, required=False, help_text=_("不匿名的请填写"))
    phone = forms.RegexField(
        r"^1\d{10}$|^0\d{2,3}-?\d{7,8}$",
        label=_("回访电话"),
        max_length=20,
        required=False,
        help_text=_("不匿名的请填写，按它回访"),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """A name and a number where one may be called back; neither where one stays anonymous."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("contact") in ("open", "confidential"):
            for field in ("name", "phone"):
                if not data.get(field) and field not in self.errors:
                    self.add_error(field, translated("请填写，或者选择匿名。"))
        photo = data.get("photo")
        if photo is not None and photo.size > MOST_PHOTO:
            self.add_error("photo", translated("照片超过 12 MB"))
        return data

    def request_key(self) -> str:
        """Return the key of this request: sent again it is the same one, changed on the page before it is another."""
        data = self.cleaned_data
        photo = data.get("photo")
        said = [str(data[name]) for name in sorted(data) if name not in ("key", "photo")]
        said += [photo.name, str(photo.size)] if photo else []
        return f"hotline:{data['key']}:{digest(said)[:40]}"

    def asked(self, channel: str) -> Asked:
        """Return the request as it was filled in."""
        data = self.cleaned_data
        anonymous = data["contact"] == "anonymous"
        photo = data.get("photo")
        return Asked(
            kind=data["kind"],
            topic=data["topic"],
            content=data["content"],
            channel=channel,
            urgent=data["urgent"],
            place=data["place"],
            anonymous=anonymous,
            confidential=data["contact"] == "confidential",
            name="" if anonymous else data["name"],
            phone="" if anonymous else data["phone"],
            files=(FileIn(photo.name, photo.read(), "photo"),) if photo else (),
        )


class FollowForm(forms.Form):
    """Number and code of a request."""

    number = forms.CharField(label=_("受理编号"), max_length=20)
    code = forms.CharField(label=_("查询码"), max_length=40, help_text=_("提出诉求以后显示的 16 位字母数字"))


class SayForm(forms.Form):
    """What somebody who follows a request adds, or what is not solved."""

    text = forms.CharField(label=_("请说明"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))


class KeyForm(forms.Form):
    """A key for a program that sends requests by Open311."""

    name = forms.CharField(label=_("程序名称"), max_length=80)
    contact = forms.EmailField(label=_("联系邮箱"), max_length=120)


class LookForm(forms.Form):
    """Why a confidential contact is looked at."""

    reason = forms.CharField(label=_("查看理由"), max_length=200)
