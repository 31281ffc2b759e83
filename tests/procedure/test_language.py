from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.kernel.problems import Problem
from chengshu.kernel.workdays import official_calendar
from chengshu.procedure.expressions import compile_expression
from chengshu.procedure.files import extend, read_files
from chengshu.procedure.forms import shown
from chengshu.procedure.golden import run_golden
from chengshu.procedure.loader import check_files, load_files
from chengshu.procedure.machine import Command, advance, begin
from chengshu.procedure.ports import Actor
from chengshu.procedure.types import Type
from chengshu.procedure.typing_rules import TypeFault
from tests_support import rich_pack as rich
from tests_support.rich_pack import rich_pack

MONDAY = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
APPLICANT = Actor("1", "申请人", frozenset({"applicant"}))
RICH = load_files(rich_pack())


def test_a_pack_that_uses_everything_is_sound_and_its_golden_cases_hold():
    files = rich_pack()
    report = run_golden(RICH, files)
    assert {case.name: case.differences for case in report.played if case.differences} == {}
    assert report.untouched == () and report.good()


# What is changed, the fault that must be named.
BAD = {
    "a field in two sections": (
        {"form__yaml": ("fields: [mail, items", "fields: [title, items")},
        "section-field",
    ),
    "a section of what is no fact": ({"form__yaml": ("fields: [mail,", "fields: [male,")}, "section-field"),
    "a format of a number": (
        {"form__yaml": ("cost: {type: money}", "cost: {type: money, format: phone}")},
        "pack-value",
    ),
    "an unknown format": ({"form__yaml": ("format: email", "format: fax")}, "pack-value"),
    "rows within rows": ({"form__yaml": ("cost: {type: money}", "cost: {type: rows}")}, "pack-value"),
    "rows without columns": (
        {"form__yaml": ("    columns:\n      name:", "    colums:\n      name:")},
        "pack-key-missing",
    ),
    "a check that reads what comes later": (
        {"form__yaml": ("facts.born <= today", "facts.agreed_to > today")},
        "expression-type",
    ),
    "a fact that reads the case": (
        {"form__yaml": ("facts.kind == 'odd'\"}", 'case.points > 1"}')},
        "expression-type",
    ),
    "a ground of no choice": ({"form__yaml": ("grounds: {late:", "grounds: {later:")}, "pack-value"),
    "a ground nobody lists": ({"form__yaml": ('untrue: ["law:3"]', 'untrue: ["law:7"]')}, "article-unknown"),
    "a personal label": (
        {
            "states__yaml": (
                "label: \"facts.kind == 'odd' ? facts.title + '（特）' : facts.title\"",
                "label: facts.mail",
            )
        },
        "privacy",
    ),
    "a personal department": (
        {
            "states__yaml": (
                "department: \"facts.kind == 'odd' ? 'market' : 'health'\"",
                "department: facts.mail",
            )
        },
        "privacy",
    ),
    "a returned value nobody keeps": (
        {"states__yaml": ("returns: [points]", "returns: [pints]")},
        "pack-value",
    ),
    "a list that is none": (
        {"states__yaml": ("for_each: facts.reviewers", "for_each: facts.title")},
        "expression-type",
    ),
    "an item outside a list": (
        {"states__yaml": ("{register: \"'rich'\", key: facts.title", "{register: \"'rich'\", key: item")},
        "expression-type",
    ),
    "a column that is not there": ({"states__yaml": ("'cost') > 100", "'coast') > 100")}, "expression-type"),
    "a length nobody can read": (
        {"states__yaml": ("minus(case.valid_to, '1 month')", "minus(case.valid_to, 'a while')")},
        "expression-type",
    ),
    "a length in workdays": (
        {"states__yaml": ("minus(case.valid_to, '1 month')", "minus(case.valid_to, '3 workdays')")},
        "expression-type",
    ),
    "a parameter that is no length": (
        {"states__yaml": ("minus(case.valid_to, '1 month')", "minus(case.valid_to, parameters.review_days)")},
        "term-form",
    ),
    "a date beside a number": (
        {"states__yaml": ("least(plus(today, '3 years'), facts.agreed_to)", "least(3, facts.agreed_to)")},
        "expression-type",
    ),
    "a computed role": ({"states__yaml": ("to: \"'applicant'\"", "to: facts.title")}, "effect-params"),
    "a message to nobody": (
        {"states__yaml": ("to: \"'applicant'\"", "to: \"'applicants'\"")},
        "role-unknown",
    ),
    "a message to everyone": ({"states__yaml": ("to: \"'applicant'\"", "to: \"'anyone'\"")}, "role-holder"),
    "a document without a template": (
        {"states__yaml": ("template: \"'decision'\"", "template: \"'decisions'\"")},
        "template-unknown",
    ),
    "an end of a notice never published": (
        {
            "states__yaml": (
                "- do: end_notice\n        with: {kind: \"'listed'\"}",
                "- do: end_notice\n        with: {kind: \"'gone'\"}",
            )
        },
        "notice-unknown",
    ),
    "a child whose end nobody hears": (
        {"states__yaml": ("on_end: \"'ended'\"", "on_end: \"'renew'\"")},
        "command-unknown",
    ),
    "a task for everyone": (
        {"states__yaml": ("received: {tasks: [clerk]}", "received: {tasks: [anyone]}")},
        "role-holder",
    ),
    "a term and a day": (
        {
            "deadlines__yaml": (
                "until: case.valid_to\n    amber",
                "until: case.valid_to\n    term: 3 days\n    amber",
            )
        },
        "deadline-length",
    ),
    "neither a term nor a day": (
        {"deadlines__yaml": ("    term: {parameter: review_days}\n", "")},
        "deadline-length",
    ),
    "a term of a parameter that is none": (
        {"deadlines__yaml": ("{parameter: review_days}", "{parameter: review_weeks}")},
        "deadline-length",
    ),
    "a parameter that is no term": (
        {"parameters_in_review__yaml": ("value: 3 workdays", "value: a while")},
        "term-form",
    ),
    "workdays before a day": (
        {"deadlines__yaml": ("before: 1 month", "before: 5 workdays")},
        "deadline-length",
    ),
    "a public text that tells something personal": (
        {"texts_in_zh__yaml": ("{title} {fields.mail}", "{facts.mail}")},
        "privacy",
    ),
    "a section without a title": (
        {"texts_in_zh__yaml": ("sections: {what: 事项, more: 其他}", "sections: {what: 事项}")},
        "text-missing",
    ),
    "a check without its words": ({"texts_in_zh__yaml": (", check: 日期不能晚于今天", "")}, "text-missing"),
    "a message without its words": ({"texts_in_zh__yaml": ("subject: 已列入, ", "")}, "text-missing"),
    "a column without a label": ({"texts_in_zh__yaml": ("名目, cost: 金额", "名目")}, "text-missing"),
    "once in the opening": (
        {"states__yaml": ("  by: [applicant, system]", "  by: [applicant, system]\n  once: true")},
        "pack-key-unknown",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_the_new_parts_is_named_with_its_line(name):
    changes, code = BAD[name]
    checked = check_files(rich_pack(**changes))
    assert checked.pack is None
    found = [fault for fault in checked.faults if fault.code == code]
    assert found, [str(fault) for fault in checked.faults]
    assert found[0].where.file.startswith("rich/")
    assert found[0].where.line is not None


def fact_errors(**facts) -> dict[str, str]:
    with pytest.raises(Problem) as caught:
        begin(RICH, "C1", {"title": "甲", "kind": "plain", **facts}, APPLICANT, MONDAY)
    return {name: error["code"] for name, error in caught.value.extra["errors"].items()}


def test_rows_formats_and_checks_answer_cell_by_cell():
    items = [{"name": "笔", "cost": 3}, {"cost": "viel", "colour": "red"}]
    assert fact_errors(items=items) == {
        "items.1.name": "wrong-type",
        "items.1.cost": "wrong-type",
        "items.1.colour": "wrong-type",
    }
    assert fact_errors(items=[{"name": "笔"}] * 4) == {"items": "too-long"}
    assert fact_errors(mail="nobody") == {"mail": "format"}
    assert fact_errors(born="2026-11-24") == {"born": "check"}
    assert fact_errors(born="0026-11-24") == {"born": "wrong-type"}
    assert fact_errors(kind="odd") == {"why_odd": "required"}
    assert fact_errors(reviewers=["li", "li"]) == {"reviewers": "wrong-type"}


def test_a_question_that_does_not_arise_is_neither_asked_nor_kept():
    case = begin(RICH, "C1", {"title": "甲", "kind": "plain", "why_odd": "无"}, APPLICANT, MONDAY).case
    assert "why_odd" not in case.facts
    assert "why_odd" in shown(RICH.facts, {"kind": "odd"}, {}, "facts.")
    assert "why_odd" not in shown(RICH.facts, {"kind": "plain"}, {}, "facts.")


def test_one_effect_for_each_item_and_none_where_its_condition_fails():
    outcome = begin(
        RICH, "C1", {"title": "甲", "kind": "plain", "reviewers": ["li", "wang"]}, APPLICANT, MONDAY
    )
    assert [(call.name, call.params["assignee"], call.key) for call in outcome.effects] == [
        ("open_case", "li", "C1:1:0:0"),
        ("open_case", "wang", "C1:1:0:1"),
    ]
    alone = begin(RICH, "C2", {"title": "甲", "kind": "plain"}, APPLICANT, MONDAY)
    assert alone.effects == [] and "effects" not in alone.event


def test_a_computed_term_may_have_ended_before_it_began():
    case = begin(
        RICH, "C1", {"title": "甲", "kind": "plain", "agreed_to": "2026-11-25"}, APPLICANT, MONDAY
    ).case
    clerk = Actor("2", "经办", frozenset({"clerk"}))
    late = MONDAY + dt.timedelta(days=9)
    listed = advance(RICH, case, Command("review", clerk, {"verdict": "good"}), {}, late).case
    assert listed.terms["validity"]["due_on"] == "2026-11-25"
    assert listed.terms["renewal"]["due_on"] == "2026-10-25"


def test_a_party_and_the_applicant_may_renew_and_nobody_else():
    case = begin(
        RICH, "C1", {"title": "甲", "kind": "plain", "agreed_to": "2026-12-01"}, APPLICANT, MONDAY
    ).case
    clerk = Actor("2", "经办", frozenset({"clerk"}))
    listed = advance(RICH, case, Command("review", clerk, {"verdict": "good"}), {}, MONDAY).case
    with pytest.raises(Problem) as caught:
        advance(RICH, listed, Command("renew", clerk), {}, MONDAY)
    assert caught.value.code == "command-not-yours"
    agent = Actor("3", "代理人", frozenset({"agent"}))
    renewed = advance(RICH, listed, Command("renew", agent), {}, MONDAY)
    assert renewed.case.terms["validity"]["due_on"] == "2029-12-01"
    assert renewed.case.terms["validity"]["round"] == 2


KNOWN = {
    "a": Type("date"),
    "b": Type("date"),
    "n": Type("integer"),
    "m": Type("money"),
    "o": Type("date", optional=True),
    "rows": Type("rows", columns=(("cost", Type("money", optional=True)), ("name", Type("text")))),
}
DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31))


@given(DAYS, DAYS)
def test_years_and_days_are_counted_as_the_law_counts_them(a, b):
    scope = {"a": a.isoformat(), "b": b.isoformat(), "n": 1, "m": 2}
    assert compile_expression("days_between(a, b)", KNOWN).evaluate(scope) == (b - a).days
    years = compile_expression("full_years(a, b)", KNOWN).evaluate(scope)
    early, late = min(a, b), max(a, b)
    birthday = (early.month, early.day)
    # Article 202: without a 29th of February the year is complete on the 28th.
    if birthday == (2, 29) and not (late.year % 4 == 0 and (late.year % 100 or late.year % 400 == 0)):
        birthday = (2, 28)
    wanted = late.year - early.year - ((late.month, late.day) < birthday)
    assert years == (wanted if a <= b else -wanted)
    assert compile_expression("least(a, b)", KNOWN).evaluate(scope) == early.isoformat()
    assert compile_expression("greatest(a, b)", KNOWN).evaluate(scope) == late.isoformat()


@given(DAYS, st.integers(1, 1200))
def test_months_end_on_the_corresponding_day_or_the_month_s_last(a, months):
    scope = {"a": a.isoformat()}
    there = dt.date.fromisoformat(compile_expression(f"plus(a, '{months} months')", KNOWN).evaluate(scope))
    assert (there.year * 12 + there.month) - (a.year * 12 + a.month) == months
    assert there.day == a.day or (there.day < a.day and (there + dt.timedelta(days=1)).day == 1)
    back = dt.date.fromisoformat(
        compile_expression(f"minus(plus(a, '{months} months'), '{months} months')", KNOWN).evaluate(scope)
    )
    assert back == a or (back.day < a.day and there.day != a.day)


def test_own_functions_mix_with_the_engine_and_take_no_branch_that_is_empty():
    expression = compile_expression(
        "o == null ? plus(a, '1 year') : least(plus(a, '1 year'), o) + 1", KNOWN, Type("date")
    )
    assert expression.evaluate({"a": "2024-02-29", "o": None}) == "2025-02-28"
    assert expression.evaluate({"a": "2024-02-29", "o": "2024-03-01"}) == "2024-03-02"
    rows = [{"cost": 2**52}, {"cost": 1}, {"cost": None}]
    assert compile_expression("sum(rows, 'cost')", KNOWN).evaluate({"rows": rows}) == 2**52 + 1
    assert compile_expression("least(m, n * 3) > 5 and len(rows) == 3", KNOWN).evaluate(
        {"m": 6, "n": 2, "rows": rows}
    )
    assert expression.reads == ("o", "a")


THIN = {
    "pack.yaml": """\
id: thin
version: 1.0.0
jurisdiction: "440306"
valid_from: 2026-06-01
extends: {pack: rich, version: 1.0.0}
basis:
  - {id: more, title: 通知, issuer: 某局, kind: policy, date: 2026-05-01, in_force: 2026-06-01}
""",
    "articles.yaml": 'articles:\n  - {article: "more:1", status: executed, gist: {zh: 丁, en: Four}}\n',
    "form.yaml": 'facts:\n  title: {type: text, element: case.title, required: true, most: 5, cite: ["more:1"]}\n',
    "texts/zh.yaml": "title: 薄规程\nfields: {title: {label: 项目名称}}\n",
    "texts/en.yaml": "title: Thin\n",
}


def thin_on_disk(tmp_path, **own):
    base = {**rich.TEXTS}
    for folder, texts in (("rich", base), ("thin", {**THIN, **own})):
        for path, text in texts.items():
            (tmp_path / folder / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / path).write_text(text, encoding="utf-8")
    return tmp_path / "thin"


def test_a_thin_pack_takes_what_it_does_not_say_from_its_base(tmp_path):
    files = read_files(thin_on_disk(tmp_path))
    checked = check_files(files)
    assert [str(fault) for fault in checked.faults] == []
    pack = checked.pack
    assert (pack.id, pack.title("zh"), pack.title("en"), pack.extends) == (
        "thin",
        "薄规程",
        "Thin",
        ("rich", "1.0.0"),
    )
    assert list(pack.basis) == ["law", "more"] and list(pack.articles)[-1] == "more:1"
    assert pack.facts["title"].most == 5 and list(pack.facts) == list(RICH.facts)
    assert pack.text("fields.title.label") == "项目名称" and pack.text("fields.mail.label") == "邮箱"
    assert run_golden(pack, files).good()
    # What is pinned is the whole: a change of the base is another version of the thin pack.
    changed = read_files(thin_on_disk(tmp_path / "b", **{"deadlines.yaml": rich.TEXTS["deadlines.yaml"]}))
    assert changed.hash() == files.hash()
    assert load_files(type(files)("stored", dict(files.texts))).hash == pack.hash


def test_faults_of_a_thin_pack_name_the_file_that_they_stand_in(tmp_path):
    own = {"form.yaml": THIN["form.yaml"].replace("most: 5", "most: 5, colour: red")}
    checked = check_files(read_files(thin_on_disk(tmp_path, **own)))
    assert [(fault.code, fault.where.file) for fault in checked.faults] == [
        ("pack-key-unknown", str(tmp_path / "thin" / "form.yaml"))
    ]
    base = tmp_path / "rich" / "form.yaml"
    base.write_text(base.read_text("utf-8").replace("format: email", "format: fax"), "utf-8")
    checked = check_files(read_files(tmp_path / "thin"))
    assert str(base) in {fault.where.file for fault in checked.faults}


@pytest.mark.parametrize(
    "extends", ["{pack: ../rich, version: 1.0.0}", "{pack: rich, version: 9.9.9}", "{pack: none, version: 1.0.0}",
                "{pack: thin, version: 1.0.0}", "{pack: /etc, version: 1.0.0}"],
)  # fmt: skip
def test_a_thin_pack_extends_only_a_plain_pack_beside_it(tmp_path, extends):
    head = THIN["pack.yaml"].replace("{pack: rich, version: 1.0.0}", extends)
    with pytest.raises(Problem) as caught:
        read_files(thin_on_disk(tmp_path, **{"pack.yaml": head}))
    assert caught.value.code == "pack-extends"


def test_a_thin_pack_may_extend_a_version_that_was_loaded_before(tmp_path):
    folder = thin_on_disk(tmp_path)
    (tmp_path / "rich").rename(tmp_path / "gone")
    loaded = rich_pack()
    files = read_files(folder, lambda pack, version: loaded if (pack, version) == ("rich", "1.0.0") else None)
    assert files.hash() == extend(read_files_of(THIN), loaded).hash()


def read_files_of(texts):
    from chengshu.procedure.files import PackFiles

    return PackFiles("thin", texts)


def test_rows_are_gathered_and_ranked():
    rows = Type("rows", columns=(("name", Type("text")), ("score", Type("integer", optional=True))))
    known = {"r": rows, "e": Type("rows", (), True, False, rows.columns), "s": Type("integer", optional=True)}
    scope = {
        "r": [{"name": "甲", "score": 7}, {"name": "乙", "score": 9}, {"name": "丙", "score": 7}],
        "s": None,
    }
    added = compile_expression("add_row(e, 'name', '丁', 'score', s)", known, known["e"])
    assert added.evaluate(scope) == [{"name": "丁", "score": None}]
    best = compile_expression("top(add_row(r, 'name', '丁', 'score', s), 'score', 2)", known, rows)
    assert [row["name"] for row in best.evaluate(scope)] == ["乙", "甲"]
    ranked = compile_expression("ranked(add_row(r, 'name', '丁', 'score', s), 'score')", known)
    assert [row["name"] for row in ranked.evaluate(scope)] == ["乙", "甲", "丙", "丁"]
    for wrong in ("add_row(r, 'name')", "add_row(r, 'score', 1)", "add_row(r, 'name', 1)", "add_row(r, 'nome', 'x')",
                  "top(r, 'name', 1)", "ranked(s, 'score')", "top(r, 'score')"):  # fmt: skip
        with pytest.raises(TypeFault):
            compile_expression(wrong, known)


def test_working_days_after_a_day_are_those_of_the_loaded_calendar():
    expression = compile_expression("workdays_after(a, 10)", KNOWN)
    scope = {"a": "2026-11-23", "calendar.loaded": official_calendar()}
    assert expression.evaluate(scope) == "2026-12-07"
    # 1 to 7 October 2026 are off, Saturday the 10th is worked: 8, 9, 10, 12 to 16, 19, 20 October are ten.
    assert expression.evaluate({**scope, "a": "2026-09-30"}) == "2026-10-20"
