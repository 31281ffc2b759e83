from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from chengshu.kernel.resources import shipped
from chengshu.procedure.checker import Coverage
from chengshu.procedure.complement import check_complement
from chengshu.procedure.files import PackFiles, read_files
from chengshu.procedure.golden import Report, run_golden
from chengshu.procedure.loader import check_folder, load_files
from chengshu.procedure.model import Pack
from chengshu.procedure.mutation import SURVIVED, mutate
from chengshu.procedure.shown import bare_days
from chengshu.site.cli.pack import _elements, app

PACKS = sorted(path.parent for path in shipped("packs", "cn").glob("*/pack.yaml"))
IDS = [path.name for path in PACKS]
# Every so many elements are taken away in each run, the same ones each time; all of them in the full one.
SAMPLE = 9


@cache
def loaded(folder: Path) -> tuple[Pack, PackFiles]:
    files = read_files(folder)
    return load_files(files), files


@cache
def played(folder: Path) -> Report:
    return run_golden(*loaded(folder))


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_the_pack_is_sound_and_every_article_is_accounted_for(folder):
    checked = check_folder(folder, elements=_elements(None))
    assert [str(fault) for fault in checked.faults] == []
    assert checked.coverage.share() == 1.0
    assert all(why for why in checked.coverage.exempt.values())
    assert checked.pack is not None and checked.pack.id == folder.name


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_every_golden_case_holds_and_nothing_is_left_untouched(folder):
    report = played(folder)
    assert {case.name: case.differences for case in report.played if case.differences} == {}
    assert report.untouched == ()
    assert report.good()


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_whatever_the_steps_do_not_allow_is_refused(folder):
    pack, _ = loaded(folder)
    rest = check_complement(pack)
    assert rest.let_through == ()
    allowed = sum(len(step.sources) * len(step.by) for step in pack.transitions)
    combinations = len(pack.states) * (len(pack.commands()) + 1) * (len(pack.roles) + 1)
    assert rest.refused >= combinations - allowed


def survivors(folder: Path, every: int) -> list[str]:
    verdicts = mutate(*loaded(folder), every=every)
    assert verdicts
    return [f"{item.mutant.kind} {item.mutant.key}" for item in verdicts if item.how == SURVIVED]


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_an_element_that_is_taken_away_is_missed(folder):
    assert survivors(folder, SAMPLE) == []


@pytest.mark.full
@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_every_element_that_is_taken_away_is_missed(folder):
    assert survivors(folder, 1) == []


def test_an_element_that_no_golden_case_goes_through_is_told():
    pack, files = loaded(shipped("packs", "cn", "department-finding"))
    text = files.texts["cases/cases.yaml"]
    cut = text[: text.index("  - case: the department enters the result guided")]
    verdicts = mutate(pack, PackFiles(files.root, {**files.texts, "cases/cases.yaml": cut}))
    lived = {item.mutant.key for item in verdicts if item.how == SURVIVED}
    assert "result-guided" in lived and "result-filed" not in lived


def test_a_wrong_pack_ends_with_exit_code_1_and_says_where(tmp_path):
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


def test_the_command_line_checks_tests_and_draws(tmp_path):
    runner = CliRunner()
    folder = str(shipped("packs", "cn", "department-finding"))
    assert runner.invoke(app, ["check", folder]).exit_code == 0
    said = runner.invoke(app, ["test", folder]).output
    assert "golden cases hold" in said and "steps that nothing allows are refused" in said
    drawn = runner.invoke(app, ["show", folder, "--mermaid", "--language", "zh"]).output
    assert drawn.startswith("stateDiagram-v2") and "已受理" not in drawn and "-->" in drawn
    target = tmp_path / "a.svg"
    assert runner.invoke(app, ["show", folder, "--svg", str(target), "--language", "zh"]).exit_code == 0
    picture = target.read_text("utf-8")
    assert picture.startswith("<svg") and "script" not in picture and "marker-end" in picture
    assert runner.invoke(app, ["show", folder, "--svg", str(target), "--language", "zh"]).exit_code == 0
    assert target.read_text("utf-8") == picture
    assert "penalty:60" in runner.invoke(app, ["report", folder]).output
    assert Coverage().share() == 1.0


@pytest.mark.parametrize("folder", PACKS, ids=IDS)
def test_every_day_that_a_golden_case_expects_shows_its_arithmetic(folder):
    assert [str(warning) for warning in bare_days(loaded(folder)[1])] == []
