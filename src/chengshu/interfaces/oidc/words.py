"""What scopes are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

SCOPE_WORDS = {
    "openid": _n("确认是您本人（用一个只给该系统的编号）"),
    "profile": _n("您的姓名"),
    "phone": _n("您的手机号码"),
    "department": _n("您所在的部门"),
    "role": _n("您在本平台的角色"),
    "openid4vci": _n("把您的证照放进您选的证照包"),
    "offline_access": _n("您离开后，该系统仍可再次取得以上内容"),
}


def scope_words(scopes: list[str]) -> list[str]:
    """Return what each scope means, in the order of the table above."""
    return [_(text) for scope, text in SCOPE_WORDS.items() if scope in scopes]
