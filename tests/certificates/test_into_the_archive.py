"""A closed case becomes an archive package that anyone can check offline; used on record, disposed of by two."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import pytest
from click.testing import CliRunner

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.archive import making, terms, using
from chengshu.contexts.hall.exports.kinds import KINDS
from chengshu.contexts.hall.models import ArchivePackage
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel import information_package as packages
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.kernel.strict_yaml import load_yaml
from chengshu.site.cli.archive import app
from tests_support.casework import MONDAY

LATER = MONDAY + dt.timedelta(days=30)
# Three years and more: what was not renewed has lapsed.
ENDED = LATER + dt.timedelta(days=1_150)
FILED = ENDED + dt.timedelta(minutes=10)


@pytest.fixture
def people(district, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    for folder in sorted(shipped("packs", "cn").glob("data-ip-*")):
        cases.load_pack_version(folder, MONDAY)
    for name in ("ip1", "ip2"):
        identity.save_account(name, display_name=name, role="officer", department="ip-office")
    identity.save_account("ma", display_name="别处", role="officer", department="market")
    return {name: identity.account_named(name) for name in ("re", "ip1", "ip2", "ma")}


@pytest.fixture
def closed(people):
    """A data-IP application, registered and, years later, lapsed: its certificate, documents, notices made."""
    golden = load_yaml(shipped("packs", "cn", "data-ip-registration", "cases", "4-registered.yaml"))
    case_id = cases.open_case(
        "data-ip-registration", dict(golden["cases"][0]["given"]["facts"]), opened_by=people["re"],
        idempotency_key="application:1", now=MONDAY,
    )  # fmt: skip

    def take(name, who, now):
        cases.command(
            case_id, name, {}, actor=people[who], expected_version=None, idempotency_key=None, now=now
        )

    take("pass", "ip1", MONDAY)
    cases.sweep(LATER)
    cases.run_jobs(LATER)
    take("approve", "ip2", LATER)
    while cases.run_jobs(LATER):
        pass
    cases.sweep(ENDED)
    while cases.run_jobs(ENDED):
        pass
    ledger.sequence(ENDED)
    return case_id


@pytest.fixture
def filed(closed):
    making.run(FILED)
    return ArchivePackage.objects.get(case_id=closed)


def names(content):
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def repacked(content, **changed):
    """The package with some of its files changed, added or (None) left out."""
    old, out = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    files = {name: old.read(name) for name in old.namelist()} | {
        name.replace("__", "/").replace("_DOT_", "."): value for name, value in changed.items()
    }
    with zipfile.ZipFile(out, "w") as new:
        for name, value in files.items():
            if value is not None:
                new.writestr(name, value)
    return out.getvalue()


def test_a_closed_case_becomes_one_sealed_package_on_record(filed, closed):
    assert filed.state == "kept" and filed.error == "" and filed.department == "ip-office"
    assert (
        filed.years is None
        and "第十九条" in filed.ground
        and filed.number.startswith("20")
        and "-Y-" in filed.number
    )
    assert making.run(FILED + dt.timedelta(minutes=1)) == 0, "once for each end"
    content = using.content_of(filed)
    held = names(content)
    for path in (
        "metadata.json",
        "manifest.json",
        "seal.jws",
        "data/form.json",
        "data/history.txt",
        "results/001.pdf",
        "receipts/001.txt",
    ):
        assert path in held
    said = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("metadata.json"))
    assert (
        said["case"] == closed and said["party"].endswith("*") and said["retention"]["years"] == "permanent"
    )
    told = zipfile.ZipFile(io.BytesIO(content)).read("data/history.txt").decode()
    assert "依据：" in told and "1. 20" in told
    assert packages.digest_of(content) == filed.digest
    assert ledger.entries_for(f"archive:{filed.number}")[0].id == filed.leaf_id


def test_the_four_properties_are_checked_offline(filed, tmp_path):
    trusted, package = tmp_path / "trust.json", tmp_path / "package.zip"
    trusted.write_text(json.dumps(json.loads(json.dumps(certificates.trust_json(FILED)))))
    content = using.content_of(filed)

    def verify(content, *more):
        package.write_bytes(content)
        return CliRunner().invoke(app, ["verify", str(package), "--trust", str(trusted), *more])

    good = verify(content, "--digest", filed.digest)
    assert good.exit_code == 0, good.output
    assert all(f"{words['zh']} {words['en']}: yes" in good.output for words in packages.PROPERTIES.values())
    for changed, said in (
        ({"data__form.json": b"[]"}, "文件被改动：data/form.json"),
        ({"receipts__001.txt": None}, "缺少文件：receipts/001.txt"),
        ({"more.exe": b"MZ"}, "多出文件：more.exe"),
        ({"seal.jws": b"x.y.z"}, "签章不成立"),
        ({"manifest.json": b"{}"}, "无法读取"),
        ({"..__out.txt": b""}, "无法读取"),
    ):
        bad = verify(repacked(content, **changed))
        assert bad.exit_code == 1 and said in bad.output, (changed, bad.output)
    package.write_bytes(content)
    alone = CliRunner().invoke(app, ["verify", str(package)])
    assert alone.exit_code == 1 and "authentic: not checked" in alone.output and "whole: yes" in alone.output


def test_a_stranger_s_seal_is_not_believed(filed):
    content = using.content_of(filed)

    def nobody(_text):
        raise ValueError("unknown-key")

    assert packages.check(content, nobody).of(packages.AUTHENTIC) is False


def test_what_is_opened_again_gets_a_further_version_and_the_earlier_stays(filed, closed, monkeypatch):
    first = using.content_of(filed)
    from chengshu.contexts.cases.models import Case

    again = FILED + dt.timedelta(days=2)
    Case.objects.filter(pk=closed).update(closed_at=again)
    making.run(again + dt.timedelta(minutes=10))
    rows = list(ArchivePackage.objects.filter(case_id=closed).order_by("version"))
    assert [row.version for row in rows] == [1, 2] and using.content_of(rows[0]) == first
    second = json.loads(zipfile.ZipFile(io.BytesIO(using.content_of(rows[1]))).read("metadata.json"))
    assert second["earlier"] == [filed.digest]


def test_papers_that_are_still_being_made_are_waited_for(closed):
    from chengshu.contexts.certificates.models import Issue

    Issue.objects.update(made_at=None)
    assert making.run(FILED) == 0
    row = ArchivePackage.objects.get(case_id=closed)
    assert row.state == "failed" and row.error == making.WAITING
    Issue.objects.update(made_at=LATER)
    assert making.run(FILED + dt.timedelta(minutes=1)) == 1
    row.refresh_from_db()
    assert row.state == "kept" and row.error == ""


def test_its_department_uses_it_on_record_and_nobody_else_finds_it(
    filed, people, district, client, monkeypatch
):
    monkeypatch.setattr("django.utils.timezone.now", lambda: FILED)
    client.force_login(people["ip1"])
    assert filed.number in client.get("/archive/?number=" + filed.case_id).content.decode()
    address = f"/archive/{filed.number}"
    assert client.post(address, {"act": "use", "reason": "短"}).status_code == 422
    got = client.post(address, {"act": "use", "reason": "行政复议调阅原卷"})
    assert got["Content-Type"] == "application/zip" and packages.digest_of(got.content) == filed.digest
    act = filed.acts.get()
    assert (act.kind, act.by, act.purpose) == ("used", "ip1", "archive-use")
    assert "行政复议调阅原卷" in client.get(address).content.decode()
    client.force_login(people["ma"])
    assert (
        client.get(address).status_code == 404
        and filed.number not in client.get("/archive/").content.decode()
    )
    client.force_login(district.operator)
    page = client.get(address).content.decode()
    assert filed.number in page and "下载利用" not in page
    with pytest.raises(Problem):
        using.use(filed, district.operator, "看一看别人的档案", FILED)


def test_the_operator_hands_over_with_a_list(filed, district, tmp_path):
    table = KINDS["archive"].make(district.operator, {"year": str(filed.closed_at.year)}, False, FILED)
    line, _person = next(iter(table.lines))
    assert line[0] == filed.number and line[7] == "永久" and line[11] == filed.digest
    done = CliRunner().invoke(
        app,
        [
            "export",
            filed.number,
            "--to",
            str(tmp_path / "out"),
            "--as",
            district.operator.username,
            "--reason",
            "移交区档案馆",
        ],
    )
    assert done.exit_code == 0, done.output
    assert packages.digest_of((tmp_path / "out" / f"{filed.number}.zip").read_bytes()) == filed.digest
    assert filed.acts.get().kind == "handed-over"


def test_disposal_waits_for_the_term_and_takes_two_persons(filed, people, django_capture_on_commit_callbacks):
    with pytest.raises(Problem, match="保管期限未满"):
        using.propose(filed, people["ip1"], "保管期满，拟销毁", FILED)
    ArchivePackage.objects.update(years=10, due_on=FILED.date())
    filed.refresh_from_db()
    assert using.due(ArchivePackage.objects.all(), FILED).get() == filed
    using.propose(filed, people["ip1"], "保管期满，拟销毁", FILED)
    with pytest.raises(Problem, match="另一个人"):
        using.dispose(filed, people["ip1"], "同意销毁这一份", FILED)
    with django_capture_on_commit_callbacks(execute=True):
        using.dispose(filed, people["ip2"], "同意销毁这一份", FILED)
    filed.refresh_from_db()
    assert filed.state == "disposed" and [each.kind for each in filed.acts.order_by("pk")] == [
        "proposed",
        "disposed",
    ]
    with pytest.raises(Problem, match="不在这里"):
        using.content_of(filed)


def test_terms_come_from_the_district_or_from_the_file_that_ships(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    assert terms.terms().of("food-permit").years == 30 and "grid-verification" in terms.terms().not_filed
    assert terms.due_on(dt.date(2026, 3, 1), terms.Term(10, "x")) == dt.date(2037, 1, 1)
    (tmp_path / "district").mkdir()
    (tmp_path / "district" / "archive.yaml").write_text("default: {years: 200, ground: 区档案馆}\n")
    assert terms.terms().default.years == 200 and not terms.terms().not_filed
    (tmp_path / "district" / "archive.yaml").write_text("default: {years: soon, ground: 区档案馆}\n")
    terms._read.cache_clear()
    with pytest.raises(Problem):
        terms.terms()
    terms._read.cache_clear()


def test_erased_values_close_the_package_to_use_and_to_handing_over_and_keep_it(filed, people, district):
    cases.erase_personal(filed.case_id, FILED)
    filed.refresh_from_db()
    assert filed.closed_to_use_at == FILED and using.content_of(filed)
    assert not using.may_use(filed, people["ip1"], FILED)
    assert hall.archive.close_to_use(filed.case_id, FILED) == 0
    with pytest.raises(Problem, match="也不移交"):
        using.hand_over(filed, district.operator, "移交区档案馆", FILED)
    assert not filed.acts.exists()


def test_many_that_end_at_one_instant_are_all_filed(closed, people, monkeypatch):
    """A sweep ends thousands of cases at one instant: more than one round takes, and none is passed over."""
    from chengshu.contexts.cases.models import Case

    whole = cases.case_on_file(closed, FILED)
    row = Case.objects.get(pk=closed)
    for number in range(7):
        row.pk, row.open_key = f"X{number}", f"x{number}"
        row.save(force_insert=True)
    monkeypatch.setattr(cases, "case_on_file", lambda *_: whole)
    monkeypatch.setattr(making, "A_ROUND", 3)
    assert [making.run(FILED) for _ in range(4)] == [3, 3, 2, 0]
    assert ArchivePackage.objects.filter(state="kept").count() == 8


def test_a_case_that_cannot_be_read_keeps_no_other_from_its_archive(closed, people, monkeypatch):
    """It is on the list, tried so often and no more, and made by command once what was wrong is mended."""

    def broken(*_):
        raise ValueError("a pack that is gone")

    with monkeypatch.context() as patched:
        patched.setattr(cases, "case_on_file", broken)
        assert making.run(FILED) == 0
    row = ArchivePackage.objects.get(case_id=closed)
    assert (row.state, row.error, row.attempts) == ("failed", "ValueError: a pack that is gone", 1)
    ArchivePackage.objects.update(attempts=making.MOST_ATTEMPTS)
    assert making.run(FILED) == 0, "not for ever"
    done = CliRunner().invoke(app, ["again"])
    assert done.exit_code == 0 and "1 made, 0 not" in done.output, done.output
    row.refresh_from_db()
    assert row.state == "kept" and row.department == "ip-office" and row.title_zh != row.pack
    assert CliRunner().invoke(app, ["again", row.number]).exit_code == 1, "what is made is not made again"


def test_one_closed_case_is_filed_by_command_and_the_job_still_files_what_ended_before_it(
    closed, monkeypatch
):
    from chengshu.contexts.cases.models import Case

    def file(case_id):
        return CliRunner().invoke(app, ["file", case_id])

    now = dt.datetime.now(dt.UTC)
    row, earlier = Case.objects.get(pk=closed), now - dt.timedelta(days=1)
    for case_id, at in (("X1", earlier), ("X2", None), ("X3", now)):
        row.pk, row.open_key, row.closed_at = case_id, case_id, at
        row.save(force_insert=True)
    Case.objects.filter(pk=closed).update(closed_at=now - dt.timedelta(hours=1))
    refused = {case_id: file(case_id).exception for case_id in ("nobody", "X2", "X3")}
    assert {case_id: each.code for case_id, each in refused.items()} == {
        "nobody": "case-unknown", "X2": "archive-open", "X3": "archive-too-soon",
    }  # fmt: skip
    done = file(closed)
    package = ArchivePackage.objects.get()
    assert done.exit_code == 0 and package.number in done.output and package.ahead, done.output
    assert file(closed).exception.code == "archive-filed"
    whole = cases.case_on_file("X1", now)
    monkeypatch.setattr(cases, "case_on_file", lambda *_: whole)
    assert making.run(now) == 1, "the one of the day before, and what is there is passed by"
    assert set(ArchivePackage.objects.values_list("case_id", "ahead")) == {(closed, False), ("X1", False)}
    kept = terms.Terms(terms.Term(1, "x"), {}, {row.pack: "内部"})
    monkeypatch.setattr(terms, "terms", lambda: kept)
    assert file("X1").exception.code == "archive-not-kept"


def test_the_operator_has_it_tried_again_from_its_page(closed, district, client, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: FILED)
    from chengshu.contexts.certificates.models import Issue

    Issue.objects.update(made_at=None)
    making.run(FILED)
    ArchivePackage.objects.update(attempts=making.MOST_ATTEMPTS)
    row = ArchivePackage.objects.get(case_id=closed)
    Issue.objects.update(made_at=LATER)
    client.force_login(district.operator)
    assert "还没有做好" in client.get(f"/archive/{row.number}").content.decode()
    done = client.post(f"/archive/{row.number}", {"act": "again", "reason": "排版服务已经恢复"})
    assert done.status_code == 302 and row.acts.get().kind == "tried-again"
    assert making.run(FILED) == 1 and ArchivePackage.objects.get(pk=row.pk).state == "kept"
    assert (
        client.post(f"/archive/{row.number}", {"act": "again", "reason": "排版服务已经恢复"}).status_code
        == 422
    )


def test_the_list_for_the_archives_office_is_asked_for_from_the_page(filed, district, client):
    import re

    client.force_login(district.operator)
    link = re.search(r'href="(/exports/new[^"]+)"', client.get("/archive/").content.decode()).group(1)
    assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"metadata.json": b"[]"},
        {"manifest.json": b'{"files": [{"path": "data/form.json"}]}'},
        {"manifest.json": b'{"files": [1]}'},
        {"data__history.json": b"[" * 200_000},
        {"metadata.json": b'{"title": "x", "number": "\\u001b[2J"}'},
        {"\x1b[2J.txt": b""},
    ],
)
def test_a_stranger_s_package_is_refused_whatever_it_holds(filed, tmp_path, changed):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(repacked(using.content_of(filed), **changed))
    done = CliRunner().invoke(app, ["verify", str(bad)])
    assert isinstance(done.exception, SystemExit) and done.exit_code == 1, done.exception
    assert "\x1b" not in done.output


def test_a_package_whose_compression_is_broken_is_refused(filed, tmp_path):
    content = bytearray(using.content_of(filed))
    content[60:90] = b"\xff" * 30
    assert packages.check(bytes(content)).of(packages.WHOLE) is False
