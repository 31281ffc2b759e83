from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from chengshu.kernel.resources import shipped
from chengshu.procedure.checker import Coverage
from chengshu.procedure.files import PackFiles, read_files
from chengshu.procedure.golden import run_golden
from chengshu.procedure.loader import check_folder, load_files
from chengshu.site.cli.pack import _elements, app

PACKS = sorted(path.parent for path in shipped("packs", "cn").glob("*/pack.yaml"))
IDS = [path.name for path in PACKS]


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_the_pack_is_sound_and_every_article_is_accounted_for(folder):
    checked = check_folder(folder, elements=_elements(None))
    assert [str(fault) for fault in checked.faults] == []
    assert checked.coverage.share() == 1.0
    assert checked.pack is not None and checked.pack.id == folder.name


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_every_golden_case_holds_and_nothing_is_left_untouched(folder):
    files = read_files(folder)
    report = run_golden(load_files(files), files)
    assert {case.name: case.differences for case in report.played if case.differences} == {}
    assert report.untouched == ()
    assert report.good()


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_a_changed_term_makes_a_golden_case_fail(folder):
    files = read_files(folder)
    text = files.texts["deadlines.yaml"]
    for line in [line for line in text.splitlines() if line.strip().startswith("term: ")]:
        number, unit = line.split(": ")[1].split(" ", 1)
        changed = text.replace(
            line, line.replace(f"{number} {unit}", f"{int(number) + 1} {unit.rstrip('s')}s")
        )
        mutant = PackFiles(files.root, {**files.texts, "deadlines.yaml": changed})
        assert not run_golden(load_files(mutant), mutant).good(), line


def test_a_wrong_pack_ends_with_exit_code_1_and_says_where(tmp_path):
    import shutil

    folder = tmp_path / "department-finding"
    shutil.copytree(shipped("packs", "cn", "department-finding"), folder)
    states = folder / "states.yaml"
    states.write_text(
        states.read_text("utf-8").replace("data.result == 'filed'", "data.resullt == 'filed'"), "utf-8"
    )
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 1
    assert "states.yaml, line" in result.output and "did you mean 'data.result'" in result.output
    result = CliRunner().invoke(app, ["check", str(folder), "--json"])
    body = json.loads(result.stdout)[str(folder)]
    assert body["ok"] is False and body["faults"][0]["where"]["line"] > 1


def test_the_command_line_checks_tests_and_draws():
    runner = CliRunner()
    folder = str(shipped("packs", "cn"))
    assert runner.invoke(app, ["check", folder]).exit_code == 0
    assert "golden cases hold" in runner.invoke(app, ["test", folder]).output
    drawn = runner.invoke(app, ["show", folder, "--mermaid", "--language", "zh"]).output
    assert drawn.startswith("stateDiagram-v2") and "待上门" in drawn
    assert Coverage().share() == 1.0
