"""A wrong pack does not load, whatever is wrong with it; those that run go on."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest
from click.testing import CliRunner

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.procedure.loader import load_pack
from chengshu.site.cli.pack import app

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
FACTS = {
    "finding": "unlicensed",
    "department": "market",
    "description": "无照经营",
    "subject_label": "示例商贸有限公司",
    "area": "新安街道",
}
WRONG = {
    "a term nobody can read": ("deadlines.yaml", "15 workdays", "15 moons"),
    "a name misspelt": ("states.yaml", "data.result == 'filed'", "data.resullt == 'filed'"),
    "a range": ("states.yaml", "data.result == 'filed'", "1 in [1..1000000000]"),
    "an alias": ("pack.yaml", "id: department-finding", "id: &a department-finding"),
    "a step without a ground": ("states.yaml", "    cite: [penalty:54, house:3]\n", ""),
    "a base that is not there": (
        "pack.yaml",
        "valid_from: 2026-01-01",
        "valid_from: 2026-01-01\nextends: {pack: ../../etc, version: 1}",
    ),
    "the same version with other content": ("deadlines.yaml", "15 workdays", "16 workdays"),
}


def opened(key: str) -> str:
    return cases.open_case(
        "department-finding", FACTS, opened_by=None, department="market", idempotency_key=key, now=NOW
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_pack_does_not_load_and_the_running_ones_go_on(tmp_path, name):
    source = shipped("packs", "cn", "department-finding")
    cases.load_pack_version(source, NOW)
    before = opened("before")
    path, old, new = WRONG[name]
    folder = tmp_path / "department-finding"
    shutil.copytree(source, folder)
    text = (folder / path).read_text("utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(Problem):
        cases.load_pack_version(folder, NOW)
    after = opened("after")
    hashes = CaseModel.objects.filter(pk__in=[before, after]).values_list("pack_version__hash", flat=True)
    assert len(hashes) == 2 and set(hashes) == {load_pack(source).hash}


@pytest.mark.django_db
def test_a_pack_whose_golden_cases_fail_is_not_loaded_by_the_command(tmp_path):
    folder = tmp_path / "department-finding"
    shutil.copytree(shipped("packs", "cn", "department-finding"), folder)
    for path, old, new in (
        ("deadlines.yaml", "15 workdays", "16 workdays"),
        ("pack.yaml", "version: ", "version: 9."),
    ):
        (folder / path).write_text((folder / path).read_text("utf-8").replace(old, new, 1), "utf-8")
    result = CliRunner().invoke(app, ["load", str(folder)])
    assert isinstance(result.exception, Problem) and result.exception.code == "pack-untested"
