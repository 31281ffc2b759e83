"""What the demo's hotline has to show: requests in all states, by the steps that the office takes. All of it generated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.demo_days import When, moment
from chengshu.contexts.hall.hotline import open311, taking
from chengshu.contexts.hall.hotline.models import HotlineRequest, Open311Key
from chengshu.contexts.hall.hotline.taking import Asked, Taken
from chengshu.contexts.hall.ratings import giving
from chengshu.contexts.hall.ratings.giving import Said
from chengshu.contexts.hall.ratings.models import Service
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places

# A street lamp in Xin'an; taken only where the district's cells hold it.
POINT = (113.8865, 22.5535)
PROGRAM = "市民随手拍（演示程序）"
SCHOOL = "每年四月公布当年指引，材料见办事指南。"
LOOKED = "（演示）"
# Who takes the steps that come with time alone: a term that runs out is seen by the clock.
CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Step:
    """A step: when, by whom (a demo account; ``caller`` is whoever called), which, with what."""

    when: When
    who: str
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request, what became of it, and how it was rated. ``by``: a demo account, ``open311``, or nobody."""

    name: str
    when: When
    by: str
    asked: Asked
    steps: tuple[Step, ...] = ()
    rated: tuple[When, Said] | None = None


def _asked(kind: str, topic: str, content: str, channel: str, **more: Any) -> Asked:
    named = {} if more.get("anonymous") else {"name": "演示来电人", "phone": "13800000000"}
    return Asked(kind, topic, content + LOOKED, channel, **{**named, **more})


def _sent(when: When, department: str, kind: str, *, urgent: bool = False, by: str = "officer-data") -> Step:
    return Step(when, by, "dispatch", {"to_department": department, "kind": kind, "urgent": urgent})


def _answered(when: When, who: str, result: str, reply: str) -> Step:
    return Step(when, who, "reply", {"result": result, "reply": reply, "public_reply": reply})


def _visited(when: When, heard: str, text: str) -> Step:
    return Step(when, "officer-data2", "visit", {"visit": heard, "visit_text": text})


# The order matters once: what is merged names a request that stands before it.
CALLS: tuple[Call, ...] = (
    Call(
        "night-works", (14, 21.5), "clerk",
        _asked("complaint", "environment", "小区对面工地夜里十一点还在打桩", "phone", place="新安街道创业路"),
        (
            _sent((13, 9.2), "housing", "complaint"),
            Step((13, 14), "officer-housing", "claim"),
            _answered((10, 16), "officer-housing", "solved", "已责令工地二十二时以后停止施工，并现场复查。"),
            _visited((9, 10), "satisfied", "来电人说这几晚安静了。"),
            Step((8, 9), "officer-data", "confirm"),
        ),
        ((9, 10.5), Said(4, ("helped",), "接电话的人很耐心")),
    ),
    Call(
        "school-place", (12, 10), "applicant",
        _asked("consultation", "school", "随迁子女积分入学什么时候开始报名，要准备什么", "portal"),
        (Step((12, 11), "officer-data", "answer_now", {"answer": SCHOOL, "public_reply": SCHOOL}),),
        ((12, 15), Said(5, ("fast", "clear-guide"))),
    ),
    Call(
        "short-weight", (11, 9.5), "objector",
        _asked("complaint", "market", "菜市场一个摊位缺斤少两，称了三次都不一样", "mobile", place="西乡街道"),
        (
            _sent((11, 11), "market", "complaint"),
            Step((11, 15), "officer-market", "claim"),
            _answered((8, 11), "officer-market", "solved", "已封存该摊位的秤，责令退还差额。"),
            _visited((7, 9.5), "satisfied", "钱退了。"),
        ),
        ((7, 12), Said(5, ("fast", "polite"))),
    ),
    Call(
        "leaking-roof", (13, 8.5), "objector",
        _asked("complaint", "housing", "物业一直不修楼顶漏水", "portal", place="福永街道"),
        (
            _sent((13, 10), "housing", "complaint"),
            Step((13, 16), "officer-housing", "claim"),
            _answered((9, 17), "officer-housing", "explained", "已约谈物业，维修方案在公示。"),
            _visited((8, 15), "not-possible", "电话没有接通，按约定发了短信。"),
            Step((5, 20), "caller", "reopen", {"again": "公示完了还是没有人来修"}),
        ),
        ((6, 9), Said(2, ("slow",), "漏了一个月", contact="13800000000")),
    ),
    Call(
        "smoke", (6, 19), "clerk",
        _asked("complaint", "environment", "楼下饭店的油烟排到楼道里", "phone", place="新安街道建安一路"),
        (_sent((5, 9), "market", "complaint"),),
    ),
    Call(
        "smoke-again", (5, 20), "",
        _asked("complaint", "environment", "建安一路饭店油烟", "portal", anonymous=True),
        (Step((4, 9), "officer-data", "merge", {"into": "smoke"}),),
    ),
    Call(
        "library-hours", (8, 13), "resident",
        _asked("suggestion", "service", "图书馆能不能周五晚上开到十点", "portal"),
        (_sent((8, 14), "culture", "suggestion"), Step((7, 10), "officer-culture", "claim")),
    ),
    Call(
        "praise", (9, 18), "resident",
        _asked("praise", "service", "窗口的许老师帮我母亲把表一项项讲清楚了", "mobile"),
        (Step((8, 9), "officer-data", "pass_on", {"to_department": "data-bureau"}),),
        ((8, 12), Said(5, ("polite",))),
    ),
    Call(
        "court", (10, 16), "",
        _asked("complaint", "housing", "法院正在审理的租赁纠纷请你们判给我", "portal", anonymous=True),
        (Step((10, 17), "officer-data2", "refuse", {"ground": "lawsuit", "way_on": "请在诉讼中向法院提出。"}),),
    ),
    Call(
        "pension", (7, 11), "applicant",
        _asked("help", "welfare", "老人高龄津贴这个月没有到账", "mobile"),
        (_sent((7, 12), "civil-affairs", "help"), Step((6, 9), "caller", "withdraw")),
    ),
    Call(
        "fire-lane", (4, 8.5), "clerk",
        _asked("complaint", "safety", "消防通道长期停电动车", "phone", place="沙井街道"),
        (
            _sent((4, 9.5), "fire", "complaint"),
            Step((4, 11), "officer-fire", "return", {"why_not": "停放管理属物业和住建职责。"}),
            _sent((4, 12), "housing", "complaint"),
            Step((3, 10), "officer-housing", "return", {"why_not": "占用消防通道由消防部门查处。"}),
        ),
    ),
    Call(
        "tax-form", (5, 10), "",
        _asked("consultation", "service", "个体户定期定额怎么调整", "portal", confidential=True),
        (_sent((5, 11), "data-bureau", "consultation"), Step((5, 15), "officer-data", "claim"),
         _answered((3, 11), "officer-data", "answered", "可以在电子税务局申请调整，十五日内答复。")),
    ),
    Call(
        "lamp-wire", (6, 20), "open311",
        _asked("help", "utilities", "路灯杆的电线垂到人行道上", "open311", urgent=True, anonymous=True),
        (
            _sent((6, 20.5), "fire", "help", urgent=True),
            Step((6, 23), CLOCK, "sweep"),
            Step((6, 23.8), "officer-fire", "claim"),
            _answered((5, 16), "officer-fire", "solved", "当晚已断电并重新架设。"),
            Step((4, 10), "officer-data2", "visit", {"visit": "not-possible", "visit_text": "来件没有电话。"}),
        ),
    ),
    Call(
        "lamp-dark", (1, 19), "open311",
        _asked("complaint", "roads", "创业路一段路灯连着三晚不亮", "open311", anonymous=True),
        (_sent((1, 19.6), "housing", "complaint"),),
    ),
    Call("manhole", (0, 0.4), "open311", _asked("complaint", "roads", "井盖松动，车一过就响", "open311", anonymous=True)),
    Call("bus-stop", (0, 0.7), "clerk", _asked("complaint", "transport", "公交站牌被广告挡住", "phone", place="新安街道")),
)  # fmt: skip


def seed_demo(now: dt.datetime) -> int:
    """Play the demo's requests and return how many there are; again does nothing."""
    desk, operator = identity.account_named("officer-data"), identity.account_named("operator")
    if desk is None or operator is None or HotlineRequest.objects.exists():
        return 0
    key, _secret = open311.make_key(PROGRAM, "demo@example.org", actor=operator, now=moment(now, (15, 9)))
    taken: dict[str, str] = {}
    for call in CALLS:
        _played(call, key, taken, now)
    return len(taken)


def _played(call: Call, key: Open311Key, taken: dict[str, str], now: dt.datetime) -> None:
    case_id = taken[call.name] = _taken(call, key, now).case_id
    for number, step in enumerate(call.steps):
        data = dict(step.data)
        if "into" in data:
            data["into"] = taken[str(data["into"])]
        at = moment(now, step.when)
        if step.who == CLOCK:
            cases.sweep(at)
            continue
        if step.who == "caller" and not call.by:
            cases.system_command(
                case_id, step.name, data, idempotency_key=f"demo:{call.name}:{number}", now=at
            )
            continue
        actor = identity.account_named(call.by if step.who == "caller" else step.who)
        cases.command(
            case_id, step.name, data, actor=actor, expected_version=None, now=at,
            idempotency_key=f"demo:{call.name}:{number}",
        )  # fmt: skip
    if call.rated:
        when, said = call.rated
        service = Service.objects.get(reference=f"case:{case_id}", round=1)
        giving.rate(service, said, via="hotline", account_id=service.account_id, now=moment(now, when))


def _taken(call: Call, key: Open311Key, now: dt.datetime) -> Taken:
    at, asked = moment(now, call.when), call.asked
    if call.by != "open311":
        account = identity.account_named(call.by) if call.by else None
        return taking.take(asked, opened_by=account, key=f"demo:hotline:{call.name}", now=at)
    found = places.locate(*POINT)
    where = {"longitude": POINT[0], "latitude": POINT[1]} if found is not None else {"place": "新安街道"}
    sent = Asked(**{name: getattr(asked, name) for name in asked.__slots__} | where)
    return open311.take_now(sent, key, f"demo-{call.name}", at)
