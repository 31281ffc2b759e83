"""Builds day after day: incremental equals full, ids live on, what people decided is kept, refused rows are mended."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from chengshu.batch.declarations import load_declarations
from chengshu.batch.pipeline import fuse
from chengshu.batch.pipeline.place import Ground
from chengshu.contexts.hall import api as hall
from chengshu.contexts.ledger.models import LeafRow
from chengshu.contexts.subjects import api, snapshots
from chengshu.contexts.subjects.models import Correction, Finding, GoldenRecord, LinkDecision, Redirect, Run
from chengshu.contexts.subjects.reading import in_force
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped

from .conftest import ANNA, FAR, HOME, NOW, OTHER


def seen() -> dict[str, object]:
    return {row.subject_id: (row.data, row.cell_code) for row in in_force()}


def test_an_unchanged_delivery_does_no_work(base, staff):
    base.build()
    again = base.order()
    os.utime(base.root / "data" / "health" / "patients.csv", (1_790_000_000, 1_790_000_000))
    run = api.run_build(again, now=lambda: base.now)
    assert run.state == "unchanged" and Run.objects.count() == 2
    assert GoldenRecord.objects.count() == 3
    # How old a table is follows from its file, not from the build that read it again.
    assert run.sources.get(source="health.patients").facts["made_at"] == "2026-09-21T14:13:20+00:00"


def test_a_changed_row_reruns_only_what_depends_on_it(base, staff):
    base.build()
    base.tables["health.patients"][1][3] = "13800138007"
    run = base.build()
    assert run.facts["fused"]["person"] == 1 and run.facts["addresses"]["worked"] == 0
    assert run.facts["published"] == {"new": 0, "changed": 1, "gone": 0}
    assert run.sources.get(source="health.patients").facts["worked"] == 1
    assert GoldenRecord.objects.filter(valid_to=run.number).count() == 1


def test_incremental_equals_full(base, staff, monkeypatch):
    base.build()
    for day in range(3):
        base.tables["health.patients"][0][4] = (OTHER, FAR, HOME)[day]
        base.tables["tax.taxpayers"].append([f"n{day}", f"甲乙丙店{day}", "", HOME, "正常", "2026-10-01"])
        base.build()
    incremental = seen()
    found = set(Finding.objects.filter(state="open").values_list("key", flat=True))
    monkeypatch.setattr(fuse, "PART", 1)  # and in however many parts it is fused
    assert base.build(full=True).state in ("published", "unchanged")
    assert seen() == incremental
    assert set(Finding.objects.filter(state="open").values_list("key", flat=True)) == found


def test_a_row_number_that_shifts_is_shown_rightly_without_publishing_anything(base, staff):
    base.build()
    base.tables["public-security.residents"].insert(0, ["0", "新来者", "", "", HOME, "2026-10-01"])
    run = base.build()
    assert run.facts["published"]["changed"] == 0
    fact = next(f for f in api.record_of(base.find("李伯特")).facts if f.element == "person.name")
    assert fact.origin.row == 3


def test_an_id_lives_on_when_the_key_of_a_record_changes(base, staff):
    base.build()
    subject = base.find("王安娜")
    base.tables["public-security.residents"][0][0] = "991"
    base.build(accept_shrink=frozenset())
    assert base.find("王安娜") == subject


def test_two_subjects_that_turn_out_to_be_one_leave_a_redirect_and_keep_what_people_wrote(base, staff):
    base.tables["health.patients"][0][1:4] = ["安娜王", "", "13900000000"]
    base.build()
    people = sorted(row.subject_id for row in in_force().filter(kind="person"))
    assert len(people) == 3
    loner = base.find("安娜王")
    number = api.apply_correction(loner, "person.phone", "777", actor_name="x", now=NOW, idempotency_key="k")
    api.link(base.find("王安娜"), loner, reason="本人确认", actor=staff.steward, now=NOW)
    base.build()
    kept = base.find("王安娜")
    gone = {loner, *people} - {row.subject_id for row in in_force()}
    (old,) = gone
    assert Redirect.objects.get(old=old, how="merged").new == kept
    assert api.effective_record(old).subject_id == kept
    assert Correction.objects.get(pk=number).subject_id == kept
    assert api.effective_record(kept).values["person.phone"] == "777"


def test_what_a_person_took_apart_stays_apart_until_they_undo_it(base, staff):
    base.build()
    subject = base.find("王安娜")
    said = api.why_one(subject, "person")
    assert said and said[0].reasons
    api.unlink(subject, ["health.patients:a"], reason="同名不同人", actor=staff.steward, now=NOW)
    base.build()
    assert in_force().filter(name="王安娜").count() == 2
    assert Redirect.objects.filter(old=subject, how="split").exists()
    base.tables["health.patients"][0][3] = "13800138001"
    base.build(full=True)
    assert in_force().filter(name="王安娜").count() == 2
    api.undo(list(LinkDecision.objects.values_list("pk", flat=True)), actor=staff.steward, now=NOW)
    base.build()
    assert in_force().filter(name="王安娜").count() == 1


def refused_export(steward, run, full):
    asked = {"run": run.run_id, "source": "public-security.residents"}
    why = {"purpose": "stewardship", "reason": "改正退回的行"}
    export = hall.exports.ask(steward, "refused", asked, **why, full=full, now=NOW)
    hall.exports.run(NOW)
    text = hall.exports.file_of(export.number, steward, NOW)[1].read_bytes().decode("utf-8-sig")
    row, line = csv.DictReader(io.StringIO(text))
    assert export.number in line["source"]
    return row


def test_refused_rows_go_out_with_their_reason_and_come_back_mended(base, staff, tmp_path):
    base.tables["public-security.residents"].append(["3", "=HYPERLINK(x)", "1.2E+17", "", HOME, "2026-10-01"])
    run = base.build()
    assert run.refused == 1
    masked, row = (refused_export(staff.steward, run, full) for full in (False, True))
    assert (row["row"], row["field"], row["name"]) == ("3", "number", "'=HYPERLINK(x)")
    # A masked copy shows what is wrong and cannot come back as a mend.
    assert masked["field"] == "number" and "HYPERLINK" not in masked["name"] and not masked["row_digest"]
    row |= {"number": "", "name": "周更正"}
    path = tmp_path / "mended.csv"
    with path.open("w", encoding="gb18030", newline="") as handle:
        writer = csv.DictWriter(handle, row)
        writer.writeheader()
        writer.writerow(row)
    assert api.resubmit(path) == 1
    run = base.build()
    assert run.refused == 0 and in_force().filter(name="周更正").exists()
    base.tables["public-security.residents"][0][3] = "13800138005"
    assert base.build().refused == 0  # the department sends the same bad row: the mend holds


def test_a_build_without_its_snapshot_on_disk_is_refused_before_ids_are_given_twice(base, staff):
    run = base.build()
    shutil.rmtree(snapshots.snapshots_dir() / run.run_id)
    with pytest.raises(Problem) as caught:
        base.build()
    assert caught.value.code == "snapshot-missing"


def test_a_store_that_was_emptied_is_given_back_by_the_snapshot(base, staff):
    base.build()
    ids = {row.subject_id for row in in_force()}
    shutil.rmtree(snapshots.build_store().root)
    base.tables["health.patients"][0][3] = "13800138004"
    run = base.build()
    assert run.facts["published"] == {"new": 0, "changed": 1, "gone": 0}
    assert {row.subject_id for row in in_force()} == ids


def test_a_run_that_stops_says_why_and_changes_nothing(base, staff):
    base.tables["tax.taxpayers"] = [[f"{n}", f"店{n}", "", HOME, "正常", "2026-10-01"] for n in range(30)]
    base.build()
    before = seen()
    base.tables["tax.taxpayers"] = base.tables["tax.taxpayers"][:5]
    with pytest.raises(Problem):
        base.build()
    run = api.last_run()
    assert run.state == "stopped" and run.problem["code"] == "source-shrank" and seen() == before


def test_each_publication_is_in_the_ledger(base, staff):
    run = base.build()
    assert LeafRow.objects.filter(kind="run-published", reference=f"run:{run.run_id}").count() == 1


def test_a_search_by_number_is_put_on_record_for_the_person(base, staff):
    from chengshu.contexts.identity.api import reads_of

    base.build()
    (hit,) = api.search(ANNA, kind=None, actor=staff.steward, now=NOW)
    assert hit.name != "王安娜" and ANNA not in hit.id_number
    assert reads_of(hit.subject_id)[1] == 1
    assert [found.subject_id for found in api.search("深圳市腾达", kind="firm", actor=staff.steward, now=NOW)]


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_twenty_daily_builds_lose_nothing(db, staff, tmp_path: Path):
    from chengshu.batch.generate import generate
    from chengshu.batch.generate.days import daily

    day = dt.date(2026, 10, 1)
    generate(tmp_path / "day0", 4000, 3, day)
    said: dict[str, str] = {}
    for number in range(20):
        here, on = tmp_path / f"day{number}", day + dt.timedelta(days=number)
        now = dt.datetime.combine(on, dt.time(9), dt.UTC)
        run = one_day(here, on, now)
        assert run.facts["churn_per_million"]["person"] < 5_000
        nothing_dangles()
        for subject, phone in said.items():
            assert api.effective_record(subject).values["person.phone"] == phone
        subject = in_force().filter(kind="person").order_by("name")[number].subject_id
        said[subject] = f"1390000{number:04}"
        api.apply_correction(
            subject, "person.phone", said[subject], actor_name="x", now=now, idempotency_key=f"day{number}"
        )
        daily(tmp_path / f"day{number + 1}", here, on + dt.timedelta(days=1), 3)
        if number:
            shutil.rmtree(tmp_path / f"day{number - 1}")
    last = tmp_path / "day20"
    one_day(last, day + dt.timedelta(days=20), now)
    incremental = seen()
    one_day(last, day + dt.timedelta(days=20), now, full=True)
    assert seen() == incremental


def one_day(folder: Path, on: dt.date, now: dt.datetime, **options):
    order = api.Order(
        declarations=load_declarations(shipped("districts", "baoan", "sources")), folder=folder, on=on,
        ground=Ground(folder / "library" / "library.parquet", "440306"), **options,
    )  # fmt: skip
    return api.run_build(order, now=lambda: now)


def nothing_dangles() -> None:
    alive = {row.subject_id for row in in_force()}
    for subject in Correction.objects.values_list("subject_id", flat=True):
        assert api.follow(subject)[0] in alive
    for subject in (
        Finding.objects.filter(state="open").exclude(subject_id="").values_list("subject_id", flat=True)
    ):
        assert api.follow(subject)[0] in alive
    assert pl.Series(list(in_force().values_list("subject_id", flat=True))).is_unique().all()
