"""The demo's departments and sign-ins: made by ``chengshu demo`` only, and refused outside the demo."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.identity.models import Account
from chengshu.contexts.identity.store import save_account, save_department
from chengshu.kernel.problems import Problem

# Printed on the sign-in page of the demo, refused elsewhere.
DEMO_PASSWORD = "chengshu-demo"
# code: (Chinese, English)
DEPARTMENTS = {
    "public-security": ("公安分局", "Public Security"),
    "market": ("市场监管局", "Market Supervision"),
    "housing": ("住房建设局", "Housing and Construction"),
    "health": ("卫生健康局", "Health"),
    "development": ("发展改革局", "Development and Reform"),
    "grid-office": ("网格管理办公室", "Grid Office"),
    "civil-affairs": ("民政局", "Civil Affairs"),
    "tax": ("税务局", "Taxation"),
    "data-bureau": ("政务服务和数据管理局", "Government Services and Data"),
    "fire": ("消防救援大队", "Fire and Rescue"),
    "work-safety": ("应急管理局", "Emergency Management"),
}


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One sign-in of the demo: what it is called and what one can try with it."""

    username: str
    display_name: str
    role: str
    department: str
    tries: str


DEMO_ACCOUNTS = [
    DemoAccount(
        "steward",
        _n("林静（数据专员）"),
        "steward",
        "data-bureau",
        _n("看最近一次运行、冲突和每个字段的来源"),
    ),
    DemoAccount(
        "worker", _n("陈志强（网格员）"), "grid_worker", "grid-office", _n("在手机大小的页面上核查今天的任务")
    ),
    DemoAccount("worker2", _n("黄丽（网格员）"), "grid_worker", "grid-office", _n("另一位网格员，可代班")),
    DemoAccount(
        "officer-market",
        _n("周敏（市场监管经办）"),
        "officer",
        "market",
        _n("接受或异议更正，办理转来的发现"),
    ),
    DemoAccount(
        "officer-police", _n("吴刚（公安经办）"), "officer", "public-security", _n("接受或异议人口信息的更正")
    ),
    DemoAccount(
        "officer-housing", _n("郑红（住建经办）"), "officer", "housing", _n("接受或异议房屋租赁的更正")
    ),
    DemoAccount(
        "officer-health", _n("何琳（卫健经办）"), "officer", "health", _n("接受或异议患者信息的更正")
    ),
    DemoAccount(
        "operator", _n("刘伟（区级运行员）"), "operator", "data-bureau", _n("看全区网格、人手和超期")
    ),
    DemoAccount(
        "resident", _n("居民本人（演示）"), "resident", "", _n("看部门持有我的哪些数据、谁查看过，并提出异议")
    ),
]


def seed_demo(resident_subject_id: str = "") -> list[Account]:
    """Make the demo's departments and accounts; again changes nothing but the resident's subject."""
    if not settings.DEMO:
        raise Problem(
            "not-a-demo", "演示账户只能在演示区建立", remedy="请用 chengshu init 建立正式区", status=403
        )
    for code, (name_zh, name_en) in DEPARTMENTS.items():
        save_department(code, name_zh, name_en)
    # One hash for all: the password is printed on the sign-in page, and hashing nine times takes seconds.
    hashed = make_password(DEMO_PASSWORD)
    made = []
    for demo in DEMO_ACCOUNTS:
        known = Account.objects.filter(username=demo.username).first()
        subject = (
            (resident_subject_id or (known.subject_id if known else "")) if demo.role == "resident" else ""
        )
        account = save_account(
            demo.username,
            display_name=demo.display_name,
            role=demo.role,
            department=demo.department or None,
            subject_id=subject,
            is_demo=True,
        )
        if not known:
            account.password = hashed
            account.save(update_fields=["password"])
        made.append(account)
    return made


def demo_accounts() -> list[DemoAccount]:
    """Return the demo sign-ins to show; none outside the demo."""
    if not settings.DEMO:
        return []
    present = set(Account.objects.filter(is_demo=True, is_active=True).values_list("username", flat=True))
    return [demo for demo in DEMO_ACCOUNTS if demo.username in present]
