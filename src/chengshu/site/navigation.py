"""The main menu of each role: a table, so that one sees at a glance who is led where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

PAGES = {
    "operations:home": gettext_noop("首页"),
    "search:home": gettext_noop("办事大厅"),
    "items:own": gettext_noop("办事指南"),
    "services:list": gettext_noop("办事"),
    "hall:cases": gettext_noop("我的办件"),
    "ratings:home": gettext_noop("服务评价"),
    "ratings:department": gettext_noop("对本部门的评价"),
    "hotline:home": gettext_noop("12345 热线"),
    "exports:home": gettext_noop("导出"),
    "archive:home": gettext_noop("电子档案"),
    "certificates:manage_signers": gettext_noop("电子签名认证机构"),
    "messages:mine": gettext_noop("消息"),
    "notices:home": gettext_noop("公示公告"),
    "registers:home": gettext_noop("登记簿"),
    "certificates:mine": gettext_noop("我的证照"),
    "citizen_code:code": gettext_noop("市民码"),
    "citizen_code:devices": gettext_noop("读码设备"),
    "certificates:list": gettext_noop("发出的证照"),
    "certificates:verify": gettext_noop("验证证照"),
    "operations:supervision": gettext_noop("督办"),
    "cases:packs": gettext_noop("规程与依据"),
    "subjects:runs": gettext_noop("运行"),
    "subjects:search": gettext_noop("标准记录"),
    "places:map": gettext_noop("地图"),
    "places:home": gettext_noop("地址库"),
    "catalogue:home": gettext_noop("数据目录"),
    "cases:tasks": gettext_noop("任务"),
    "subjects:returns": gettext_noop("更正返还"),
    "ledger:home": gettext_noop("存证"),
    "hall:home": gettext_noop("我的数据"),
    "mandates:overview": gettext_noop("代办与授权"),
    "window:home": gettext_noop("窗口"),
    "operations:staffing": gettext_noop("网格力量"),
    "oidc:systems": gettext_noop("接入的系统"),
    "api-v1:openapi-view": gettext_noop("接口"),
}
MENUS: dict[str, list[str]] = {
    "": [
        "operations:home",
        "search:home",
        "notices:home",
        "registers:home",
        "certificates:verify",
        "cases:packs",
        "catalogue:home",
        "ledger:home",
        "api-v1:openapi-view",
        "ratings:home",
        "hotline:home",
    ],
    "resident": [
        "operations:home",
        "search:home",
        "hall:cases",
        "hall:home",
        "mandates:overview",
        "certificates:mine",
        "citizen_code:code",
        "messages:mine",
        "notices:home",
        "hotline:home",
    ],
    "grid_worker": [
        "operations:home",
        "cases:tasks",
        "places:map",
        "places:home",
        "services:list",
        "messages:mine",
    ],
    "steward": [
        "operations:home",
        "subjects:runs",
        "subjects:search",
        "places:map",
        "places:home",
        "cases:tasks",
        "subjects:returns",
        "catalogue:home",
        "ledger:home",
        "messages:mine",
        "exports:home",
    ],
    "officer": [
        "operations:home",
        "cases:tasks",
        "subjects:returns",
        "subjects:search",
        "items:own",
        "certificates:list",
        "registers:home",
        "notices:home",
        "messages:mine",
        "ratings:department",
        "exports:home",
        "archive:home",
    ],
    "operator": [
        "operations:home",
        "operations:supervision",
        "cases:tasks",
        "operations:staffing",
        "places:map",
        "subjects:runs",
        "cases:packs",
        "certificates:list",
        "citizen_code:devices",
        "oidc:systems",
        "ledger:home",
        "messages:mine",
        "ratings:department",
        "exports:home",
        "archive:home",
        "certificates:manage_signers",
    ],
    "clerk": [
        "operations:home",
        "window:home",
        "search:home",
        "messages:mine",
        "notices:home",
        "certificates:verify",
        "hotline:home",
    ],
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the menu."""

    text: str
    url: str
    current: bool


def menu(request: HttpRequest, role: str) -> list[Entry]:
    """Return the menu of ``role``; the entry whose address is the longest start of this page's is marked."""
    entries = [(gettext(PAGES[name]), reverse(name)) for name in MENUS.get(role, MENUS[""])]
    fitting = [
        url for _, url in entries if request.path == url or (url != "/" and request.path.startswith(url))
    ]
    current: Any = max(fitting, key=len, default=None)
    return [Entry(text, url, url == current) for text, url in entries]
