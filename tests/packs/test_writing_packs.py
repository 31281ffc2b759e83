"""A legal officer begins a pack, changes it, and is told in words what changed."""

from __future__ import annotations

import json
import re

import jsonschema_rs
import pytest
from click.testing import CliRunner

from chengshu.procedure.diff import differences
from chengshu.procedure.files import PackFiles
from chengshu.procedure.loader import load_files
from chengshu.procedure.ports import built_in
from chengshu.procedure.schemas import schemas
from chengshu.site.cli.pack import app
from tests_support.rich_pack import rich_pack


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_new_pack_works_at_once_and_names_its_schemas(tmp_path):
    folder = tmp_path / "my-service"
    assert "is a pack" in run("new", folder)
    assert "my-service 1.0.0 is sound" in run("check", folder)
    assert "3 of 3 golden cases hold" in run("test", folder)
    assert "warning" not in run("check", folder) + run("test", folder)
    run("mutate", folder)
    for path in folder.rglob("*.yaml"):
        first = path.read_text("utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        schema = (path.parent / first.partition("=")[2]).resolve()
        jsonschema_rs.validator_for(json.loads(schema.read_text("utf-8")))
    # The folder of packs may be checked as a whole: the schemas are no pack.
    assert "my-service 1.0.0 is sound" in run("check", tmp_path)


def test_a_golden_day_without_its_arithmetic_is_warned_of_with_file_line_and_what_to_do(tmp_path):
    folder = tmp_path / "mine"
    run("new", folder)
    cases = folder / "cases" / "cases.yaml"
    told = cases.read_text("utf-8")
    bare = re.sub(r', because: "rule:3, as above[^"]*"', "", told)
    cases.write_text(bare, encoding="utf-8")
    line = 1 + bare[: bare.index("due: 2026-11-30, state: late")].count("\n")
    for command in ("check", "test"):
        said = run(command, folder)
        assert f"cases.yaml, line {line}: The day of the term decide is expected" in said
        assert said.count("warning:") == 1 and "because:" in said
        (shown,) = json.loads(CliRunner().invoke(app, [command, str(folder), "--json"]).stdout).values()
        assert shown["ok"] is True and [item["code"] for item in shown["warnings"]] == ["golden-bare"]


@pytest.mark.parametrize("name", ["My Service", "../x y", "-lives"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    assert CliRunner().invoke(app, ["new", str(tmp_path / name)]).exit_code != 0


def test_nothing_is_written_over_what_is_there(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(app, ["new", str(folder)])
    assert result.exit_code != 0 and [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_the_schemas_can_be_written_and_shown(tmp_path):
    run("schema", "--out", tmp_path)
    assert {path.stem for path in tmp_path.glob("*.json")} == set(schemas(built_in))
    assert json.loads(run("schema", "--name", "states"))["title"] == "Chengshu pack: states.yaml"


CHANGES = {
    "a longer term": ({"parameters_in_review__yaml": ("value: 5 workdays", "value: 6 workdays")}, "parameters", "取值"),
    "another role": ({"states__yaml": ("by: [applicant, agent]", "by: [applicant]")}, "steps", "可办角色"),
    "another condition": ({"states__yaml": ("'1 month')\"", "'2 months')\"")}, "steps", "条件"),
    "another ground": ({"deadlines__yaml": ('lapse\n    cite: ["law:2"]', 'lapse\n    cite: ["law:1"]')}, "terms", "依据"),
    "another word": ({"texts_in_zh__yaml": ("title: 富规程", "title: 更富")}, "texts", "中文"),
    "a stricter field": ({"form__yaml": ("most: 40}", "most: 30}")}, "facts", "上限"),
    "an article in other words": ({"articles__yaml": ("zh: 甲", "zh: 新")}, "articles", "要旨"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_is_said_in_words(name):
    changes, part, word = CHANGES[name]
    found = differences(load_files(rich_pack()), load_files(rich_pack(**changes)))
    assert [(item.part, item.change) for item in found] == [(part, "changed")]
    assert word in found[0].text["zh"] and "was “" in found[0].text["en"]


def test_what_is_new_and_what_is_gone_is_said_too():
    old = load_files(rich_pack())
    text = '  - id: note\n    from: [received]\n    to: stay\n    by: [anyone]\n    once: true\n    cite: ["law:1"]\n'
    new = load_files(_without_note(text))
    gone = [item for item in differences(old, new) if item.part == "steps"]
    assert [(item.key, item.change) for item in gone] == [("note", "removed")]
    assert gone[0].text == {"zh": "删除步骤“留言”（note）", "en": "removed step “留言” (note)"}
    back = [item for item in differences(new, old) if item.part == "steps"]
    assert [(item.key, item.change, item.text["zh"]) for item in back] == [
        ("note", "added", "新增步骤“留言”（note）")
    ]
    assert differences(old, old) == []


def _without_note(text: str) -> PackFiles:
    files = rich_pack(states__yaml=(text, ""))
    words = {
        path: files.texts[path].replace("note: 留言, ", "").replace('  note: "{actor}留言"\n', "")
        for path in ("texts/zh.yaml", "texts/en.yaml")
    }
    return PackFiles("rich", {**files.texts, **words})


def test_two_folders_are_compared_on_the_command_line(tmp_path):
    run("new", tmp_path / "one")
    run("new", tmp_path / "two")
    deadlines = tmp_path / "two" / "deadlines.yaml"
    deadlines.write_text(deadlines.read_text("utf-8").replace("5 workdays", "7 workdays"), "utf-8")
    said = run("diff", tmp_path / "one", tmp_path / "two", "--language", "zh")
    assert "期限“决定期限”（decide）：时长由“5 workdays”改为“7 workdays”" in said
    said = json.loads(run("diff", tmp_path / "one", tmp_path / "two", "--json"))
    assert [(item["part"], item["key"]) for item in said] == [("terms", "decide")]
    assert "do not differ" in run("diff", tmp_path / "one", tmp_path / "one")
