"""Packs that are wrong, or mean harm: they do not load, they harm nothing, and the fault says where."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.kernel.problems import Problem
from chengshu.procedure.complement import check_complement
from chengshu.procedure.files import MAX_FILES, PackFiles, read_files
from chengshu.procedure.golden import run_golden
from chengshu.procedure.loader import check_files, check_folder
from tests_support.rich_pack import TEXTS, rich_pack

# What zen-engine would take, and the fence must not: ranges, closures, clocks, chance, code, other worlds' syntax.
ESCAPES = [
    "case.points in [1..10]",
    "case.points in (1..10]",
    "filter([1, 2], # > 1) == [2]",
    "map(facts.items, #.cost)",
    "count([1..1000000000], # > 0) > 1",
    "rand(100) > 50",
    "date('now') > facts.born",
    "d('2026-01-01').add('1d') > facts.born",
    "matches(facts.title, '(a+)+$')",
    "`${facts.title}` == 'x'",
    "$root.facts.title == 'x'",
    "$ == 1",
    "facts.title[0] == 'x'",
    "facts['title'] == 'x'",
    "points = 5",
    "case.points == 1; case.points == 2",
    "__import__('os')",
    "facts.title.__class__ == 'x'",
    "1e308 * 10 > 1",
    "0.1 + 0.2 == 0.3",
    "case.points ** 2 > 1",
    "case.points % 2 == 0",
    "case.points ^ 2 > 1",
    "lower(facts.title) == 'x'",
    "keys(facts.items) == 'x'",
    "bool('true')",
    "fuzzyMatch(facts.title, 'x') > 0",
    "facts.titel == 'x'",
    "plus(today, facts.title) > today",
    "plus(today, '999999 years') > today",
    "ended_as(facts.title) > 0",
    "sum(facts.items, facts.title) > 0",
    "children.outcomes == 1",
    "calendar.loaded == 1",
    "own.0 == 1",
    "9007199254740993 > case.points",
    "\u202ecase.points > 1",
    "case.points \u003e 1 \x00",
    "(" * 200 + "true" + ")" * 200,
    "not " * 200 + "true",
    " and ".join(["true"] * 200),
    "'" + "x" * 5_000 + "' == 'x'",
]


@pytest.mark.parametrize(
    "source", ESCAPES, ids=[source[:30].encode("unicode_escape").decode() for source in ESCAPES]
)
def test_what_is_not_in_the_grammar_does_not_load(source):
    quoted = "'" + source.replace("'", "''") + "'"
    checked = check_files(rich_pack(states__yaml=("when: \"data.verdict == 'bad'\"", f"when: {quoted}")))
    assert checked.pack is None
    assert checked.faults[0].code in ("expression-syntax", "expression-type", "yaml-syntax")
    assert checked.faults[0].where.file == "rich/states.yaml"


def test_a_table_of_another_engine_does_not_load():
    nodes = (
        '{"contentType": "application/vnd.gorules.decision", "nodes": [{"id": "f", "type": "functionNode",'
        ' "content": {"source": "export const handler = async () => fetch(\'http://x\')"}}], "edges": []}\n'
    )
    checked = check_files(PackFiles("rich", {**TEXTS, "decisions/level.yaml": nodes}))
    assert checked.pack is None
    assert "pack-key-unknown" in {fault.code for fault in checked.faults}


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n" + "".join(
    f"{chr(100 + n)}: &{chr(100 + n)} [*{chr(99 + n)}, *{chr(99 + n)}]\n" for n in range(20)
)
CROWD = TEXTS["states.yaml"].replace(
    "states:\n", "states:\n" + "".join(f"  s{n}: {{tasks: [clerk]}}\n" for n in range(3_000))
)
RAW = {
    "a bomb of aliases": (BOMB, "yaml-alias"),
    "a tower of lists": ("states: " + "[" * 100_000, "yaml-depth"),
    "a tag that makes an object": ("start: !!python/object/apply:os.system ['true']\n", "yaml-tag"),
    "another version of YAML": ("%YAML 1.1\n---\nstart: on\n", "yaml-directive"),
    "a merge key": ("opening:\n  <<: {by: [system]}\n", "yaml-syntax"),
    "a list at the top": ("- start\n", "pack-value"),
    "nothing": ("", "pack-value"),
    "a number": ("1\n", "pack-value"),
    "control characters": ("start: \x01\n", "yaml-syntax"),
    "thousands of states": (CROWD, "pack-too-large"),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_files_that_are_no_pack_are_refused(name):
    text, code = RAW[name]
    checked = check_files(PackFiles("rich", {**TEXTS, "states.yaml": text}))
    assert checked.pack is None
    assert code in {fault.code for fault in checked.faults}


TYPST = [
    '#let secret = read("/etc/passwd")',
    '#let r = read\n#r("/etc/passwd")',
    '#image("../../../../etc/hostname")',
    '#import "@preview/cetz:0.2.2": *',
    '#import "../other/templates/x.typ": *',
    '#include "/etc/passwd"',
    '#eval("read(\\"/etc/passwd\\")")',
    '#plugin("/lib.typ")',
    '#let d = json("/var/db.json")',
    "#std.read(sys.inputs.path)",
]


@pytest.mark.parametrize("text", TYPST)
def test_a_template_that_reaches_for_something_does_not_load(text):
    source = f"// 决定\n{text}\n"
    checked = check_files(PackFiles("rich", {**TEXTS, "templates/decision.typ": source}))
    assert [(fault.code, fault.where.line) for fault in checked.faults][:1] == [("template-reach", 2)]


def test_a_template_may_use_the_library_and_say_words_in_quotes():
    source = '#import "/lib.typ": *\n// read this\n#show: official.with(title: "please read, include and json")\n正文\n'
    assert check_files(PackFiles("rich", {**TEXTS, "templates/decision.typ": source})).faults == ()


def written(folder, texts):
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("link", ["templates/secret.typ", "parameters/secret.yaml", "pack.yaml", "texts"])
def test_a_link_out_of_the_folder_is_never_followed(tmp_path, link):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "zh.yaml").write_text("title: 秘密\n", encoding="utf-8")
    folder = written(tmp_path / "rich", TEXTS)
    target = folder / link
    if target.is_dir():
        for path in target.iterdir():
            path.unlink()
        target.rmdir()
        target.symlink_to(secret)
    else:
        target.unlink(missing_ok=True)
        target.symlink_to(secret / "zh.yaml")
    assert [fault.code for fault in check_folder(folder).faults] == ["pack-file-unknown"]


def test_devices_huge_files_and_crowds_of_files_are_refused(tmp_path):
    folder = written(tmp_path / "one", TEXTS)
    (folder / "texts" / "zh.yaml").write_bytes(b"title: x\n" + b"#" * 2_000_001)
    assert [fault.code for fault in check_folder(folder).faults] == ["pack-too-large"]
    crowd = written(tmp_path / "two", TEXTS)
    for number in range(MAX_FILES + 1):
        (crowd / "parameters" / f"p{number}.yaml").write_text("{}", encoding="utf-8")
    assert [fault.code for fault in check_folder(crowd).faults] == ["pack-too-large"]
    pipe = written(tmp_path / "three", TEXTS)
    os.mkfifo(pipe / "parameters" / "pipe.yaml")
    assert [fault.code for fault in check_folder(pipe).faults] == ["pack-file-unknown"]
    with pytest.raises(Problem):
        read_files(tmp_path / "none")


LINES = sorted((path, number) for path, text in TEXTS.items() for number in range(len(text.splitlines())))
EDITS = st.tuples(
    st.sampled_from(LINES),
    st.sampled_from(["drop", "twice", "swap", "indent", "junk", "cut"]),
    st.integers(0, 200),
    st.text(alphabet="abz {}[]:,'\"\n-&*!#?|>%@`甲0\x00", max_size=4),
)


def edited(texts: dict[str, str], edit) -> dict[str, str]:
    (path, number), how, at, junk = edit
    lines = texts[path].splitlines()
    line = lines[min(number, len(lines) - 1)]
    at = at % (len(line) + 1)
    changed = {
        "drop": [],
        "twice": [line, line],
        "swap": [line[at:] + line[:at]],
        "indent": [f"  {line}"],
        "junk": [line[:at] + junk + line[at:]],
        "cut": [line[:at]],
    }[how]
    lines[min(number, len(lines) - 1) : number + 1] = changed
    return {**texts, path: "\n".join(lines) + "\n"}


@settings(max_examples=120, deadline=None)
@given(st.lists(EDITS, min_size=1, max_size=2))
def test_whatever_is_written_is_loaded_or_refused_and_never_breaks_the_reader(edits):
    texts = dict(TEXTS)
    for edit in edits:
        if texts[edit[0][0]].strip():
            texts = edited(texts, edit)
    files = PackFiles("rich", texts)
    checked = check_files(files)
    assert (checked.pack is None) is bool(checked.faults)
    assert all(fault.code and fault.where and fault.where.file for fault in checked.faults)
    if checked.pack is not None:
        # Sound by its form: then it can be played, whatever its golden cases say, and lets nothing through.
        run_golden(checked.pack, files)
        assert check_complement(checked.pack).let_through == ()
