"""An operator loads a portal's items: all or nothing, idempotent, versions kept; and checks them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.items import checking
from chengshu.contexts.hall.items.elements import Mistake, body_of, cited
from chengshu.contexts.hall.items.models import Item, ItemFacet, ItemVersion
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.site.cli import root
from hall_items.conftest import FOLDER, NOW

ROW = {
    "TASK_CODE": "11440300000000001X2440125017001",
    "TASK_NAME": "食品经营许可",
    "TASK_TYPE": "01",
    "DEPT_NAME": "宝安区市场监管局",
    "ORGCODE": "1",
    "AREACODE": "440306",
    "CATAID": "440125017001",
    "handle_time": "20(工作日)",
    "handle_time_limit": "5(工作日)",
    "visit_number": "0",
    "ONLINECHECK": "1",
    "accept_standard": "符合《中华人民共和国食品安全法》第三十五条规定的。",
    "consult_phone": "0755-12345、13800138000",
    "theme_category": ["准营准办"],
    "service_object_name": ["企业法人"],
    "material_intro": ["营业执照"],
}


def write(path, *rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_the_shipped_items_load_and_the_same_again_changes_nothing(items):
    assert 100 <= len(items.new) <= 160
    assert Item.objects.exclude(pack="").count() >= 20
    again = hall.load_items(FOLDER, now=NOW)
    assert (again.new, again.changed, again.same) == ([], [], len(items.new))
    assert ItemVersion.objects.count() == len(items.new)


def test_the_shipped_sample_holds_no_telephone():
    for line in (FOLDER / "guangdong_sample.jsonl").read_text(encoding="utf-8").splitlines():
        body = body_of(json.loads(line))
        assert body["consult_phones"] == body["complaint_phones"] == []


def test_a_changed_item_becomes_a_version_with_its_difference_and_a_leaf(db, tmp_path):
    hall.load_items(write(tmp_path / "a.jsonl", ROW), now=NOW)
    hall.load_items(write(tmp_path / "a.jsonl", ROW | {"handle_time_limit": "3(工作日)"}), now=NOW)
    item = Item.objects.get()
    assert (item.version, item.promised_days) == (2, 3)
    newest = ItemVersion.objects.get(number=2)
    assert newest.diff == [{"element": "promised_days", "old": 5, "new": 3}]
    assert ledger.entry(newest.leaf_id).kind == "item.version"
    assert ItemVersion.objects.get(number=1).body["promised_days"] == 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"TASK_NAME": "无"}, "TASK_NAME"),
        ({"TASK_TYPE": "99"}, "TASK_TYPE"),
        ({"handle_time": "very long"}, "handle_time"),
        ({"material_intro": [1]}, "material_intro"),
        ({"TASK_CODE": ROW["TASK_CODE"]}, "TASK_CODE"),
    ],
)
def test_a_file_with_one_mistake_is_refused_whole_with_line_and_field(db, tmp_path, wrong, field):
    second = ROW | {"TASK_CODE": "11440300000000001X2440125017002"} | wrong
    with pytest.raises(Problem) as refused:
        hall.load_items(write(tmp_path / "a.jsonl", ROW, second), now=NOW)
    assert (refused.value.where.file, refused.value.where.line) == ("a.jsonl", 2)
    assert refused.value.where.field == field
    assert not Item.objects.exists() and not ItemFacet.objects.exists()


def test_the_command_makes_the_schema_loads_and_answers_queries(tmp_path, transactional_db):
    path = write(tmp_path / "a.jsonl", ROW)
    run = CliRunner().invoke(root, ["items", "load", str(path), "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["new"] == [ROW["TASK_CODE"]]
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"query": "开饭店办什么证"}\n{"query": "今天股票涨了没"}\n', encoding="utf-8")
    run = CliRunner().invoke(
        root, ["search", "--kind", "item", "--in", str(queries), "--out", str(tmp_path / "h"), "--top", "3"]
    )
    assert run.exit_code == 0, run.output
    first, second = [json.loads(line) for line in (tmp_path / "h").read_text().splitlines()]
    assert first["hits"][0]["code"] == ROW["TASK_CODE"] and "none" not in first
    assert second["none"] is True


def test_a_line_without_a_query_is_named(items, tmp_path):
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"query": "护照"}\n{"text": "护照"}\n', encoding="utf-8")
    run = CliRunner().invoke(root, ["search", "--in", str(queries)])
    assert isinstance(run.exception, Problem) and run.exception.where.line == 2


def test_checking_finds_what_is_missing_contradicts_or_stands_twice():
    longer = ROW | {"TASK_CODE": "11440300000000001X2440125017002", "handle_time_limit": "30(工作日)"}
    bare = ROW | {
        "TASK_CODE": "11440300000000001X2440125017003",
        "accept_standard": "无",
        "material_intro": [],
    }
    report = checking.check(body_of(row) for row in (ROW, longer, bare))
    kinds = {(finding.code[-1], finding.kind) for finding in report.findings}
    assert ("2", "times") in kinds
    assert {("3", "basis-missing"), ("3", "missing-power")} <= kinds
    assert ("2", "double-name") in kinds and ("1", "personal-phone") in kinds
    assert report.errors == 3
    assert report.departments()[0]["items"] == 3


def test_the_command_check_exits_by_what_it_finds(items):
    run = CliRunner().invoke(root, ["items", "check", "--department", "宝安区", "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["errors"] == 0
    assert CliRunner().invoke(root, ["items", "check", "--department", "nobody"]).exit_code == 2


def test_laws_and_articles_are_read_out_of_conditions():
    text = "依据《中华人民共和国水法》（2016年修订）第四十八条、《取水许可管理办法》，提交《取水申请书》。"
    assert cited(text) == [
        {"title": "中华人民共和国水法", "article": "第四十八条"},
        {"title": "取水许可管理办法", "article": ""},
    ]


values = (
    st.none()
    | st.text(max_size=30)
    | st.integers()
    | st.lists(st.text(max_size=8), max_size=3)
    | st.booleans()
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*ROW, "legal_basis", "fee", "aliases"]), values, max_size=20))
def test_any_row_is_read_or_refused_by_name_of_a_field(row):
    body, refused = None, ""
    try:
        body = body_of(ROW | row)
    except Mistake as mistake:
        refused = mistake.field
    assert refused in {*ROW, "legal_basis", "fee", "aliases"} or (body["code"] and body["name"])
