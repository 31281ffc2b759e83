"""The main menu of each role: a table, so that one sees at a glance who is led where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

PAGES = {
    "operations:home": gettext_noop("首页"),
    "services:list": gettext_noop("办事"),
    "subjects:runs": gettext_noop("运行"),
    "subjects:search": gettext_noop("标准记录"),
    "places:map": gettext_noop("地图"),
    "places:home": gettext_noop("地址库"),
    "catalogue:home": gettext_noop("数据目录"),
    "cases:tasks": gettext_noop("任务"),
    "subjects:returns": gettext_noop("更正返还"),
    "ledger:home": gettext_noop("存证"),
    "hall:home": gettext_noop("我的数据"),
    "operations:staffing": gettext_noop("网格力量"),
    "api-v1:openapi-view": gettext_noop("接口"),
}
MENUS: dict[str, list[str]] = {
    "": ["operations:home", "catalogue:home", "ledger:home", "api-v1:openapi-view"],
    "resident": ["operations:home", "hall:home", "catalogue:home", "ledger:home"],
    "grid_worker": ["operations:home", "cases:tasks", "places:map", "places:home"],
    "steward": [
        "operations:home",
        "subjects:runs",
        "subjects:search",
        "places:map",
        "places:home",
        "cases:tasks",
        "catalogue:home",
        "ledger:home",
    ],
    "officer": [
        "operations:home",
        "subjects:returns",
        "cases:tasks",
        "subjects:search",
        "catalogue:home",
        "ledger:home",
    ],
    "operator": [
        "operations:home",
        "operations:staffing",
        "places:map",
        "cases:tasks",
        "subjects:runs",
        "ledger:home",
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
