"""A department's file comes in whatever its form, or is refused with a reason that it can act on."""

from __future__ import annotations

import datetime as dt
import io
import sqlite3
import zipfile

import openpyxl
import polars as pl
import pytest

from chengshu.kernel.problems import Problem

GOOD = "1,深圳市腾达有限公司,91350100M000100Y43,0755-27881234,深圳市宝安区创业一路12号,存续,2020-01-02,2024-01-02"


def names(world, built):
    return world.records(built)["name"].to_list()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_table_comes_in_whatever_its_encoding(world, encoding):
    text = "\n".join(["no,name,code,phone,address,status,founded,changed", GOOD, "2,女,,,,,,", ""])
    world.deliver(text.encode(encoding))
    built = world.build()
    assert names(world, built) == ["深圳市腾达有限公司", "女"]


def test_rare_characters_of_gb18030_come_in(world):
    text = "no,name,code,phone,address,status,founded,changed\n1,𬉼𰻝科技,,,,,,\n"
    world.deliver(text.encode("gb18030"))
    assert names(world, world.build()) == ["𬉼𰻝科技"]


def test_a_file_that_changes_its_encoding_halfway_is_read_row_by_row(world):
    head = "no,name,code,phone,address,status,founded,changed\n1,宝安一厂,,,,,,\n".encode()
    world.deliver(head + "2,宝安二厂,,,,,,\n".encode("gbk") + b"3,\xff\xff\xfe,,,,,,\n")
    built = world.build()
    assert names(world, built) == ["宝安一厂", "宝安二厂"]
    assert world.refused(built) == [(3, "", "encoding")]
    assert any("mixed encodings" in note for note in built.sources["market.firms"]["notes"])


def test_rows_with_too_few_or_too_many_cells_are_refused_with_their_number(world):
    world.deliver([GOOD, "2,短行", "3,长行,,,,,,,多,余", '4,"带\n换行",,,,,,', "5,好的,,,,,,"])
    built = world.build()
    assert world.refused(built) == [(2, "", "cells-missing"), (3, "", "cells-extra")]
    rows = dict(world.records(built).select("row", "name").iter_rows())
    assert rows == {1: "深圳市腾达有限公司", 4: "带换行", 5: "好的"}


def test_a_quote_that_is_never_closed_does_not_swallow_the_table_in_silence(world):
    world.deliver([GOOD, '2,"没有关上,,,,,,', "3,后面,,,,,,"])
    built = world.build()
    assert world.refused(built) == [(2, "", "cells-missing")]
    folder = world.store.entries / built.sources["market.firms"]["standardise"]
    assert "后面" in pl.read_parquet(folder / "refused.parquet")["cells"][0]


def test_numbers_in_scientific_notation_are_refused_because_digits_are_lost(world):
    world.deliver([GOOD, "2,科学,9.135E+17,,,,,", "3,电话,,1.38E+10,,,,"])
    built = world.build()
    assert world.refused(built) == [(2, "code", "scientific-notation"), (3, "phone", "scientific-notation")]


def test_duplicate_keys_keep_the_newest_row(world):
    world.deliver(["1,旧名,,,,,,2024-01-02", "1,新名,,,,,,2024/3/1", "1,新名,,,,,,2024/3/1", ",没有号,,,,,,"])
    built = world.build()
    assert names(world, built) == ["新名"]
    assert sorted(world.refused(built)) == [
        (1, "no", "duplicate-key"),
        (3, "no", "duplicate-row"),
        (4, "no", "key-missing"),
    ]


def test_a_date_in_the_future_is_refused_today_and_taken_in_when_it_has_come(world):
    world.deliver([GOOD, "2,明天开业,,,,,2026-11-21,"])
    assert world.refused(world.build()) == [(2, "founded", "not_after_today")]
    world.on = dt.date(2026, 11, 21)
    assert names(world, world.build()) == ["深圳市腾达有限公司", "明天开业"]


def test_excel_serial_dates_merged_cells_and_typed_cells_come_in(world):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["宝安区商事主体名册"])
    sheet.merge_cells("A1:H1")
    sheet.append(["no", "name", "code", "phone", "address", "status", "founded", "changed"])
    sheet.append([1, "甲公司", None, 13800138000, "创业一路12号", "存续", 43832, dt.datetime(2024, 1, 2)])
    sheet.append([2, "乙公司", None, 13800138001, None, "存续", dt.date(2020, 1, 2), None])
    sheet.merge_cells("E3:E4")
    data = io.BytesIO()
    book.save(data)
    world.deliver(data.getvalue(), "firms.xlsx")
    rows = world.records(world.build()).select("name", "phone", "address", "established_on", "at").rows()
    assert rows == [
        ("甲公司", "13800138000", "创业一路12号", "2020-01-02", "2024-01-02"),
        ("乙公司", "13800138001", "创业一路12号", "2020-01-02", None),
    ]


def test_an_id_that_a_spreadsheet_kept_as_a_number_is_refused(world):
    book = openpyxl.Workbook()
    book.active.append(["no", "name", "code"])
    book.active.append([1, "甲公司", 440306199001011234])
    data = io.BytesIO()
    book.save(data)
    world.deliver(data.getvalue(), "firms.xlsx")
    built = world.build()
    assert world.refused(built) == [(1, "code", "scientific-notation")]


def test_a_zip_bomb_is_refused_before_it_is_opened(world):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)
    world.deliver(data.getvalue(), "firms.xlsx")
    with pytest.raises(Problem) as caught:
        world.build()
    assert caught.value.code == "archive-bomb"


def test_parquet_and_a_table_of_a_database_come_in(world, tmp_path):
    frame = pl.DataFrame(
        {
            "no": [1, 2],
            "name": ["甲", "乙"],
            "founded": [dt.date(2020, 1, 2), None],
            "phone": [13800138000.0, None],
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    world.deliver(buffer.getvalue(), "firms.parquet")
    rows = world.records(world.build()).select("name", "established_on", "phone").rows()
    assert rows == [("甲", "2020-01-02", "13800138000"), ("乙", None, None)]
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("create table t (no integer, name text)")
        connection.execute("insert into t values (7, '丙')")
    from .conftest import FIRMS

    world.declare(
        FIRMS.replace(
            'file: "firms*.*"',
            f'sql: {{url: "sqlite:///{tmp_path / "x.db"}", query: "select no, name from t"}}',
        )
    )
    world.base = None
    assert names(world, world.build()) == ["丙"]


def test_an_unknown_column_warns_and_a_missing_required_one_stops(world):
    world.deliver(["1,甲,x"], header="no,企业名称,新列")
    built = world.build()
    facts = built.sources["market.firms"]
    assert facts["unknown"] == ["新列"] and "phone" in facts["missing"]
    assert names(world, built) == ["甲"]
    world.deliver(["1,x"], header="no,另一列")
    with pytest.raises(Problem) as caught:
        world.build()
    assert (
        caught.value.code == "column-missing"
        and "name" in str(caught.value)
        and "aliases" in caught.value.remedy
    )


def test_a_source_that_shrinks_by_half_stops_the_build_until_a_person_accepts_it(world):
    world.deliver([f"{n},公司{n},,,,,," for n in range(20)])
    world.build()
    world.deliver([f"{n},公司{n},,,,,," for n in range(9)])
    with pytest.raises(Problem) as caught:
        world.build()
    assert caught.value.code == "source-shrank" and "--accept-shrink market.firms" in caught.value.remedy
    built = world.build(accept_shrink=frozenset({"market.firms"}))
    assert built.sources["market.firms"]["accepted"] == 9


def test_a_row_that_is_absent_stays_and_is_marked_and_a_deleted_one_goes(world):
    from .conftest import FIRMS

    flagged = FIRMS.replace("delivery: full", "delivery: full\ndeleted_flag: {column: gone, value: Y}")
    world.declare(flagged)
    header = "no,name,gone"
    world.deliver(["1,甲,", "2,乙,", "3,丙,"], header=header)
    world.build()
    world.deliver(["1,甲,", "3,丙,Y"], header=header)
    built = world.build()
    rows = world.records(built).select("name", "absent_since").rows()
    assert rows == [("甲", None), ("乙", "2026-11-20")]
    assert built.sources["market.firms"]["deleted"] == 1
    assert built.facts["findings"]["record-absent"] == 1


def test_a_delta_says_nothing_about_rows_it_does_not_bring(world):
    from .conftest import FIRMS

    world.declare(FIRMS.replace("delivery: full", "delivery: delta"))
    world.deliver(["1,甲,,,,,,", "2,乙,,,,,,"])
    world.build()
    world.deliver(["2,乙改,,,,,,"])
    rows = world.records(world.build()).select("name", "absent_since").rows()
    assert rows == [("甲", None), ("乙改", None)]


def test_a_late_file_leaves_the_last_delivery_in_force_and_a_withdrawn_one_takes_its_rows_out(world):
    path = world.deliver(["1,甲,,,,,,"])
    world.build()
    path.unlink()
    built = world.build()
    assert built.sources["market.firms"]["late"] and world.golden(built).height == 1
    world.deliver(["1,甲,,,,,,"])
    built = world.build(withdraw=frozenset({"market.firms"}))
    assert built.sources == {} and built.kinds == {}


def test_a_new_version_that_is_refused_leaves_the_last_good_one_in_force(world):
    world.deliver(["1,甲,,,,,2020-01-02,"])
    world.build()
    world.deliver(["1,甲改,,,,,2030-01-02,"])
    built = world.build()
    assert names(world, built) == ["甲"] and world.refused(built) == [(1, "founded", "not_after_today")]


def test_an_unknown_key_in_a_declaration_is_named_with_its_line(world):
    from .conftest import FIRMS

    world.declare(FIRMS + "datun: GCJ-02\n")
    world.deliver([GOOD])
    with pytest.raises(Problem) as caught:
        world.build()
    assert "datun" in str(caught.value) and caught.value.where.line == len(FIRMS.splitlines()) + 1


@pytest.mark.full
def test_a_csv_of_one_gigabyte_streams(world):
    import resource

    path = world.deliver(b"")
    line = "{n},深圳市宝安区某某实业发展有限公司" + "长" * 100 + ",,,,存续,2020-01-02,2024-01-02\n"
    with path.open("w", encoding="utf-8") as handle:
        handle.write("no,name,code,phone,address,status,founded,changed\n")
        written = 0
        number = 0
        while written < 1_000_000_000:
            block = "".join(line.format(n=number + i) for i in range(10_000))
            number += 10_000
            written += handle.write(block) * 2.6
    from chengshu.batch.declarations import load_declarations
    from chengshu.batch.pipeline.intake import intake, look

    source = load_declarations(world.root / "sources").sources["market.firms"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with world.store.locked():
        _, folder = intake(look(source, world.delivered), world.store)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert pl.scan_parquet(folder / "rows.parquet").select(pl.len()).collect().item() == number
    assert grown < 1500, f"reading took {grown:.0f} MB more"
