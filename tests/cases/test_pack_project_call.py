"""A call for 5G factories through the engine: two apply, six experts read, one steps aside, the list stands."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.form_fields import form_field
from chengshu.contexts.cases.models import Case
from chengshu.contexts.cases.shown_values import shown_value
from chengshu.contexts.messages.models import PublicNotice
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY
from tests_support.packwork import (
    child_for,
    children,
    kept,
    officer,
    opened,
    resident,
    settle,
    sound,
    state,
    take,
)


@pytest.fixture
def people(district):
    district.head, district.clerk = officer("head", "industry"), officer("clerk", "industry")
    district.experts = [resident(f"expert{number}") for number in range(1, 8)]
    district.firms = [resident("firm-a"), resident("firm-b")]
    return district


def at(days, hour=2):
    return (MONDAY + dt.timedelta(days=days)).replace(hour=hour)


def entry(name, **more):
    return {
        "name": name, "firm": "宝安示例塑胶有限公司", "credit_code": "91350100M000100Y43", "category": "line", "connected": True,
        "collected": True, "secured": True, "plan": "产线设备联网。", "recommended_by": "新安街道办事处", **more,
    }  # fmt: skip


def called(people, quota=1):
    call = opened("5g-factory", people.clerk, MONDAY, quota=quota)
    take(call, "publish", people.head, at(0), apply_until="2026-12-14")
    return call


def applied(call, firm, name, **more):
    receipt = cases.public_command(
        call, "apply", entry(name, **more), actor=firm, now=at(1), idempotency_key=f"apply:{name}"
    )
    return receipt.opened[0]


def reviewed(people, application, experts, points):
    take(application, "accept", people.clerk, at(2), experts=[expert.username for expert in experts])
    for expert, (innovation, effect, spread) in zip(experts, points, strict=True):
        child = child_for(application, expert)
        take(child, "declare_none", expert, at(3))
        take(
            child,
            "score",
            expert,
            at(4),
            innovation=innovation,
            effect=effect,
            spread=spread,
            opinion="数据真实",
        )
    settle(at(4))
    take(application, "check_site", people.head, at(5), as_described=True, findings="设备在用")
    take(application, "finish", people.clerk, at(7))
    settle(at(7))


def test_the_better_of_two_lines_is_listed_and_followed_up(people):
    call = called(people)
    first = applied(call, people.firms[0], "甲产线")
    second = applied(call, people.firms[1], "乙产线")
    reviewed(people, first, people.experts[:3], [(20, 30, 20), (24, 33, 21), (20, 32, 18)])
    reviewed(people, second, people.experts[3:6], [(28, 36, 26), (27, 38, 25), (30, 40, 30)])
    assert Case.objects.get(pk=first).outcome == "scored"
    settle(at(22))
    assert state(call) == "reviewing"
    take(call, "rank", people.clerk, at(23))
    best = kept(call, "proposed")
    # (90 + 90 + 100) / 3 = 93.33; the quota is one.
    assert [(row["name"], row["score"]) for row in best] == [("乙产线", 9333)]
    settle(at(23))
    # The public reads the list in words and no account.
    (told,) = (
        each
        for each in json.loads(PublicNotice.objects.get(kind="proposed").fields)
        if each["name"] == "list"
    )
    assert "得分：93.33" in told["value"]["zh"] and told["raw"][0]["score"] == 9333
    assert "等级：产线级" in told["value"]["zh"] and "applicant" not in json.dumps(told)
    settle(at(31))
    assert state(call) == "deciding"
    view = cases.case_view(call, people.head, now=at(32))
    (field,) = next(each.fields for each in view.commands if each.name == "confirm")
    assert field.value == best
    # Whoever confirms the list reads and writes decimals; what is kept stays whole.
    assert shown_value(field, best)["rows"][0][-1] == "93.33"
    form = form_field(field)
    assert form.clean([{**best[0], "score": "93.33"}]) == form.clean(best) == best
    assert 'value="93.33"' in form.widget.render("final", best)
    (notice,) = (each for each in view.terms if each.id == "notice")
    assert notice.light.zh == "期满"
    with pytest.raises(Problem) as caught:
        take(call, "confirm", people.clerk, at(32), final=best)
    assert caught.value.code == "own-work"
    take(call, "confirm", people.head, at(32), final=best)
    settle(at(32))
    listed = child_for(call, people.firms[1])
    assert state(call) == "listed" and state(listed) == "listed"
    take(listed, "report", people.firms[1], at(200), progress="运行正常")
    assert state(listed) == "evaluating" and sound(call, first, second, listed, *children(first)) == []


def test_an_expert_with_an_interest_steps_aside_and_is_replaced(people):
    application = applied(called(people), people.firms[0], "甲产线")
    take(
        application, "accept", people.clerk, at(2), experts=[expert.username for expert in people.experts[:3]]
    )
    first = child_for(application, people.experts[0])
    # An expert's list tells one review from another, and from the application itself.
    (task,) = cases.tasks_for(people.experts[0], now=at(2)).rows
    assert task.title["zh"] == "评审：甲产线（宝安示例塑胶有限公司）"
    with pytest.raises(Problem) as caught:
        take(first, "declare_none", people.experts[1], at(3))
    assert caught.value.code == "case-unknown"
    take(first, "recuse", people.experts[0], at(3), conflict="kin")
    settle(at(3))
    assert kept(application, "missing") == 1
    take(application, "replace_expert", people.clerk, at(3), expert=["expert7"])
    take(child_for(application, people.experts[6]), "declare_none", people.experts[6], at(4))
    assert kept(application, "missing") == 0


def test_a_line_without_data_is_taken_in_and_rejected_with_its_ground(people):
    application = applied(called(people), people.firms[0], "丙产线", collected=False)
    with pytest.raises(Problem) as caught:
        take(application, "accept", people.clerk, at(2), experts=["expert1", "expert2", "expert3"])
    assert caught.value.code == "guard-refused"
    take(application, "reject", people.clerk, at(2), ground="ineligible", reason_text="未采集数据")
    settle(at(2))
    assert Case.objects.get(pk=application).outcome == "rejected" and sound(application) == []
