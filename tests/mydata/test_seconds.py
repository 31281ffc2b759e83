"""A decision of seconds is told so that one can follow it, some are drawn by lot, and a person puts right what was wrong."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from django.test import Client

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.seconds import lots
from chengshu.contexts.hall.seconds.models import AutomaticDecision
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.messages import api as messages
from chengshu.kernel.problems import Problem

from .conftest import NOW, PACK, apply, childbirth_facts

LATER = NOW + dt.timedelta(days=1)


def draw(monkeypatch, per_mille):
    monkeypatch.setattr(lots, "rate_on", lambda day: per_mille)
    while ledger.sequence(NOW, takeover=True):
        pass
    return hall.draw_lots(LATER)


def test_i_read_why_it_was_decided_with_each_value_where_it_comes_from_and_the_article(anna):
    found = hall.prefill(PACK, anna, NOW)
    case_id = apply(anna)
    hall.keep_origins(case_id, found.found, {"applicant_name": "王安娜"}, 12, NOW)
    (decision,) = cases.decisions_of(case_id, anna, NOW)
    assert decision.automatic
    assert [line.held for line in decision.lines][-1] and not any(line.held for line in decision.lines[:-1])
    age = decision.lines[2]
    assert "周岁" in age.words["zh"]
    looked = {each.label["zh"]: each.value for each in age.values}
    assert looked["出生日期"] == "2025-06-10"
    assert any(each.value == 3 and "第三条" in each.origin["zh"] for each in age.values)
    assert age.grounds


def test_the_office_reads_it_too_and_a_stranger_no_values(anna, staff):
    case_id = apply(anna)
    (decision,) = cases.decisions_of(case_id, staff.officer, NOW)
    assert decision.lines
    with pytest.raises(Problem):
        cases.decisions_of(case_id, staff.bert, NOW)


def test_what_a_person_looks_at_is_noted_for_no_lot(anna):
    apply(anna, relation="mother")
    (row,) = AutomaticDecision.objects.all()
    assert (row.step, row.state, row.department) == ("confirm-granted", "waiting", "health")


def test_the_lot_waits_for_a_signed_tree_head_and_anyone_can_draw_it_again(anna, monkeypatch):
    for number in range(4):
        apply(anna, key=f"c:{number}", child_id=["440306202506100028", "440306202506100044", "440306202506100060",
              "440306202506100087"][number])  # fmt: skip
    assert hall.draw_lots(NOW) == 0  # no tree head covers them yet
    draw(monkeypatch, 500)
    heads = {row["size"]: row["root"] for row in ledger.checkpoints()}
    for row in AutomaticDecision.objects.all():
        assert heads[row.tree_size] == row.tree_root
        number = int(hashlib.sha256(f"{row.tree_root}:{row.leaf_digest}".encode()).hexdigest()[:16], 16)
        assert f"{number:016x}" == row.lot
        assert (row.state == "drawn") == (number < 2**64 // 2)
        assert bool(row.review_case) == (row.state == "drawn")
        assert ledger.entry(row.leaf_id).digest == row.leaf_digest
    assert hall.draw_lots(LATER) == 0  # drawn once


def test_the_shipped_rate_is_a_dated_value_with_its_ground(world):
    assert lots.rate_on(dt.date(2026, 11, 23)) == 50
    value = cases.current_pack(lots.PACK).parameters["per_mille"].on(dt.date(2026, 11, 23))
    assert value.cite == ("house:1",)


def test_found_wrong_the_person_is_told_and_somebody_else_puts_it_right(anna, staff, monkeypatch):
    apply(anna)
    assert draw(monkeypatch, 1000) == 1
    row = AutomaticDecision.objects.get()
    answer = {"error": "data", "error_text": "孩子的户籍已迁出"}
    step = {"expected_version": None, "idempotency_key": None, "now": LATER}
    cases.command(row.review_case, "wrong", answer, actor=staff.officer, **step)
    row.refresh_from_db()
    assert row.state == "wrong"
    subjects = [message.subject_zh for message in messages.messages_of(anna, LATER)]
    assert any("复核认为有误" in text for text in subjects)
    done = {"done_text": "已停发并告知"}
    with pytest.raises(Problem) as own:
        cases.command(row.review_case, "corrected", done, actor=staff.officer, **step)
    assert own.value.code == "own-work"
    view = cases.command(row.review_case, "corrected", done, actor=staff.second, **step)
    assert view.outcome == "corrected" or view.state == "corrected"
    (line,), total, _more = cases.supervised(cases.Asked("reversed", pack="seconds-review"), LATER)
    assert (line.case_id, total) == (row.review_case, 1) and line.grounds and line.why["zh"]
    assert hall.review_figures()[0]["wrong"] == 1


def test_i_ask_that_a_person_looks_and_nobody_else_does_for_me(anna, staff):
    case_id = apply(anna)
    url = hall.ask_person_url(case_id, anna, NOW)
    other, mine = Client(), Client()
    other.force_login(staff.bert)
    mine.force_login(anna)
    seq = AutomaticDecision.objects.get().seq
    assert other.post(url, {"seq": seq}).status_code == 404
    assert mine.post(url, {"seq": seq, "reason": "登记错了"}).status_code == 302
    row = AutomaticDecision.objects.get()
    assert cases.pack_of(row.review_case) == lots.PACK
    # Pressed twice, it is the one review.
    assert mine.post(url, {"seq": seq}).status_code == 302
    assert AutomaticDecision.objects.get().review_case == row.review_case
    assert hall.ask_person_url(case_id, anna, NOW) == ""
    page = Client().get("/my/decisions/lots").content.decode()
    assert "生育补贴" in page


def test_whoever_was_served_at_the_window_asks_for_a_person_as_well(anna, staff):
    behalf = {"subject_id": anna.subject_id, "by": "window", "mandate": 1}
    clerk = identity.save_account("cl", display_name="窗口", role="clerk", department="data-bureau")
    case_id = cases.open_case(
        PACK, childbirth_facts(), opened_by=clerk, idempotency_key="w", now=NOW, on_behalf=behalf
    )
    cases.command(
        case_id, "confirm", {"agreed": True}, actor=anna, expected_version=None, idempotency_key=None, now=NOW
    )
    assert hall.ask_person_url(case_id, anna, NOW) and not hall.ask_person_url(case_id, clerk, NOW)
    seq = AutomaticDecision.objects.get().seq
    assert cases.pack_of(lots.ask_person(case_id, seq, anna, "登记错了", NOW)) == lots.PACK


def test_the_case_page_tells_the_decision(anna, browser, django_assert_max_num_queries):
    case_id = apply(anna)
    page = browser.get(f"/cases/{case_id}").content.decode()
    assert "系统按规则作出的决定" in page and "请人复核" in page
