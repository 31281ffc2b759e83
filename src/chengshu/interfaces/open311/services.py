"""The service types: complaints by topic, and the other kinds of requests; what each asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chengshu.contexts.hall.api import hotline

REALTIME, BATCH = "realtime", "batch"
TOPIC_NAMES: Mapping[str, tuple[str, str]] = {
    "environment": ("环境卫生、噪声", "垃圾,噪声,油烟"),
    "roads": ("道路、路灯", "路面,路灯,井盖"),
    "housing": ("房屋、物业", "物业,违建,漏水"),
    "market": ("消费、食品", "食品,价格,假货"),
    "health": ("医疗卫生", "医院,诊所"),
    "school": ("教育", "学校,培训"),
    "transport": ("交通、停车", "停车,公交,信号灯"),
    "utilities": ("水电气、通信", "停水,停电,燃气"),
    "safety": ("安全隐患", "消防,安全生产"),
    "welfare": ("社会保障、救助", "社保,救助"),
    "service": ("政务服务", "办事,窗口"),
    "other": ("其他", ""),
}
KIND_NAMES: Mapping[str, tuple[str, str]] = {
    "consultation": ("咨询", REALTIME),
    "suggestion": ("建议", REALTIME),
    "help": ("求助", REALTIME),
    # Nothing waits for praise: it comes in by the queue, under a token.
    "praise": ("表扬", BATCH),
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A question of a service type."""

    code: str
    datatype: str
    required: bool
    description: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceType:
    """A service type as a program sees it."""

    code: str
    name: str
    description: str
    type: str
    group: str
    keywords: str = ""
    attributes: tuple[Attribute, ...] = field(default_factory=tuple)


YES_NO = (("yes", "是"), ("no", "否"))
URGENT = Attribute("urgent", "singlevaluelist", False, "有危险，需要马上处理", YES_NO)
CONFIDENTIAL = Attribute("confidential", "singlevaluelist", False, "姓名和号码对承办部门保密", YES_NO)
TOPIC = Attribute(
    "topic",
    "singlevaluelist",
    True,
    "关于什么",
    tuple((code, TOPIC_NAMES[code][0]) for code in hotline.TOPICS),
)


def service_types() -> Iterator[ServiceType]:
    """Yield every service type, in the order of the page."""
    for code in hotline.TOPICS:
        name, keywords = TOPIC_NAMES[code]
        yield ServiceType(code, name, f"投诉：{name}", REALTIME, "投诉", keywords, (URGENT, CONFIDENTIAL))
    for kind, (name, way) in KIND_NAMES.items():
        asked = (TOPIC, URGENT, CONFIDENTIAL) if kind == "help" else (TOPIC, CONFIDENTIAL)
        yield ServiceType(kind, name, f"{name}，请选择关于什么", way, "其他诉求", "", asked)


BY_CODE: Mapping[str, ServiceType] = {each.code: each for each in service_types()}


def code_of(kind: str, topic: str) -> str:
    """Return under which service type a request stands."""
    return kind if kind in KIND_NAMES else topic


def split(code: str) -> tuple[str, str]:
    """Return kind and topic of a service type; the topic is empty where it is asked for."""
    return (code, "") if code in KIND_NAMES else ("complaint", code)
