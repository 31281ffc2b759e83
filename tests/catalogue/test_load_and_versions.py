"""A data steward declares elements and sources; each change makes a version that is on record."""

import datetime as dt
import shutil

import pytest

from chengshu.contexts.catalogue import api, domain
from chengshu.contexts.catalogue.models import Version
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped

NOW = dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)
BAOAN = shipped("districts", "baoan")


@pytest.fixture
def folder(tmp_path):
    for name in ("catalogue", "sources"):
        shutil.copytree(BAOAN / name, tmp_path / "district" / name)
    return tmp_path / "district"


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.django_db
def test_the_demo_district_loads_once(folder):
    first = api.load_folder(folder, now=NOW)
    assert "person.name" in first.new and "market.firms" in first.new
    assert api.load_folder(folder, now=LATER) == ([], [], [])
    assert api.element("firm.credit_code").body["standard"] == "GB 32100-2015"
    assert api.element("person.name").body["sources"][0] == "public-security.residents"
    assert api.element_titles()["person.name"] == {"zh": "姓名", "en": "Name"}


@pytest.mark.django_db
def test_a_change_makes_a_version_with_its_difference_and_proof(folder):
    api.load_folder(folder, now=NOW)
    change(
        folder / "catalogue/elements.yaml",
        "person.phone: {title: {zh: 联系电话",
        "person.phone: {title: {zh: 手机号码",
    )
    change(folder / "sources/market/firms.yaml", "updated: 核准日期\n", "")
    result = api.load_folder(folder, now=LATER)
    assert result == ([], ["person.phone", "market.firms"], [])
    latest, first = api.versions("element:person.phone")
    assert (latest.number, latest.at, first.number) == (2, LATER, 1)
    assert latest.diff == [{"field": "title_zh", "old": "联系电话", "new": "手机号码"}]
    assert ledger.entry(latest.leaf_id).reference == "element:person.phone@2"
    assert api.element_titles()["person.phone"]["zh"] == "手机号码"


@pytest.mark.django_db
def test_what_is_no_longer_declared_is_retired_and_can_return(folder):
    api.load_folder(folder, now=NOW)
    path = folder / "sources/tax/taxpayers.yaml"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    lists, authority = folder / "catalogue/lists.yaml", folder / "catalogue/authority.yaml"
    kept = lists.read_text(encoding="utf-8")
    lists.write_text(kept[: kept.index("tax.taxpayers:")], encoding="utf-8")
    assert "tax.taxpayers" in authority.read_text(encoding="utf-8")
    assert api.load_folder(folder, now=LATER).retired == ["tax.taxpayers"]
    assert (
        "tax.taxpayers" not in [row.name for row in api.sources()] and api.source("tax.taxpayers").retired_at
    )
    path.write_text(text, encoding="utf-8")
    lists.write_text(kept, encoding="utf-8")
    api.load_folder(folder, now=LATER)
    assert [version.number for version in api.versions("source:tax.taxpayers")] == [3, 2, 1]
    assert api.source("tax.taxpayers").retired_at is None


@pytest.mark.django_db
def test_a_load_that_fails_changes_nothing(folder):
    api.load_folder(folder, now=NOW)
    change(folder / "catalogue/elements.yaml", "联系电话", "电话")
    change(folder / "sources/market/firms.yaml", "firm.industry", "firm.unheard_of")
    with pytest.raises(Problem) as caught:
        api.load_folder(folder, now=LATER)
    assert caught.value.code == "element-unknown" and caught.value.where.field == "行业"
    assert not Version.objects.filter(number=2).exists()


@pytest.mark.django_db
def test_a_district_without_elements_takes_the_common_ones(folder):
    shutil.rmtree(folder / "catalogue")
    api.load_folder(folder, now=NOW)
    assert api.element("person.name") and api.source("market.firms").body["listing"] is None
    assert api.listed("open") == [] and len(api.listed("government")) == len(api.sources())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("case.actor: {", "Case Actor: {", 9),
        ("case.actor: {", "case.actor: {colour: red, ", 9),
        ("case.actor: {title: {zh: 经办人, en: Person acting}, ", "case.actor: {", 9),
        ("type: text, class: matter, grade: 2", "type: prose, class: matter, grade: 2", 9),
        ("type: text, class: matter, grade: 2", "type: text, class: weather, grade: 2", 9),
        ("grade: 2, privacy: none, authority: data-bureau}\ncase.ad", "grade: 5, privacy: none, authority: x}\ncase.ad", 9),
        ("grade: 2, privacy: none, authority: data-bureau}\ncase.ad", "grade: 1, privacy: personal, authority: x}\ncase.ad", 9),
    ],
)  # fmt: skip
def test_a_wrong_element_is_refused_with_its_line(folder, old, new, line):
    path = folder / "catalogue/elements.yaml"
    # The sections before the matters grow with the packs: without them the first matter stands in line 9.
    head, _, rest = path.read_text(encoding="utf-8").partition("# --- applications")
    path.write_text(head + "# --- matters" + rest.partition("# --- matters")[2], encoding="utf-8")
    change(path, old, new)
    with pytest.raises(Problem) as caught:
        domain.read_elements(path, {})
    assert (caught.value.code, caught.value.where.line) == ("catalogue-declaration", line)


def test_personal_data_cannot_be_opened_without_condition(folder):
    change(
        folder / "catalogue/lists.yaml",
        "open: {how: none, why: {zh: 含个人信息",
        "open: {how: unconditional, why: {zh: 含个人信息",
    )
    with pytest.raises(Problem) as caught:
        domain.read_folder(folder / "sources", folder / "catalogue", folder / "catalogue")
    assert "cannot be opened unconditionally" in caught.value.title and "person.name" in caught.value.title


def test_authority_speaks_only_of_declared_elements(folder):
    with pytest.raises(Problem):
        domain.read_elements(folder / "catalogue/elements.yaml", {"person.hat": ("a.b",)})


def test_every_element_that_a_source_carries_has_an_order_of_authority(declared):
    for name, source in declared.sources.items():
        assert name in declared.listings
        for column in source.columns:
            assert name in declared.elements[column.element].sources, (
                f"{column.element} lacks {name} in authority.yaml"
            )
