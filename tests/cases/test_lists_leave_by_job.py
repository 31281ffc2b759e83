"""The work list and the supervisor's list leave by job only: with a purpose, filtered as on the page, on record."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.hall.exports import producing, worklists, writing
from chengshu.contexts.hall.exports.lists import Table
from chengshu.contexts.hall.exports.models import Export
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from tests_support.casework import CELL, firm_facts

PERSON = "P0000000017"
WHY = {"purpose": "case-work", "reason": "核对本周任务"}


def browser(account):
    client = Client()
    client.force_login(account)
    return client


def opened(count, **more):
    openings = [
        cases.Opening(firm_facts(subject_label=f"第{n}家公司"), f"t{n}", cell_code=CELL, **more)
        for n in range(count)
    ]
    return list(cases.open_many("grid-verification", openings, now=timezone.now()).case_ids.values())


def made(actor, of, form="csv", **filters):
    row = producing.ask(actor, of, filters, **WHY, full=False, form=form, now=timezone.now())
    producing.run(timezone.now())
    row.refresh_from_db()
    return row, producing.file_of(row.number, actor, timezone.now())[1].read_bytes()


def lines_of(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_worker_takes_out_what_the_page_shows_and_the_persons_find_it_on_record(district):
    opened(3, subject_id=PERSON)
    worker = browser(district.worker)
    page = worker.get("/cases/?light=green&q=家公司&page=1").content.decode()
    link = re.search(r'href="(/exports/new\?[^"]+)"', page)[1].replace("&amp;", "&")
    assert "list=tasks" in link and "light=green" in link and "page=" not in link
    form = worker.get(link).content.decode()
    assert "正常" in form and "家公司" in form and "50,000" in form
    sent = {"purpose": "verification", "reason": "上门前核对清单", "format": "csv"}
    assert worker.post(link, sent | {"purpose": ""}).status_code == 422
    assert worker.post(link, sent).status_code == 302
    row = Export.objects.get()
    assert row.filters == {"light": "green", "q": "家公司"} and row.state == "waiting"
    producing.run(timezone.now())
    answer = worker.get(f"/exports/{row.number}/file")
    top, head, *body, bottom = lines_of(b"".join(answer.streaming_content))
    assert row.number in top[0] and "上门前核对清单" in top[0] and top == bottom and head[-1] == "校验码"
    assert len(body) == 3 and producing.trace(body[1][-1]) == row
    (read,), _total = identity.reads_of(PERSON)
    assert (read.purpose, read.actor_name) == ("verification", district.worker.display_name)
    assert ledger.entries_for(f"read:{read.id}")
    assert identity.read_proof(PERSON, read.id)["salt"]


def test_nothing_streams_past_the_job(district):
    for account, url in (
        (district.worker, "/cases/tasks.csv"),
        (district.worker, "/cases/tasks.xlsx"),
        (district.operator, "/supervision/cases.csv"),
        (district.operator, "/supervision/cases.xlsx"),
    ):
        assert browser(account).get(url).status_code == 404, url
    with pytest.raises(Problem):
        producing.ask(district.officer, "supervision", {}, **WHY, full=False, now=timezone.now())
    with pytest.raises(Problem):
        producing.ask(district.operator, "supervision", {}, **WHY, full=True, now=timezone.now())


def test_the_supervisors_list_keeps_its_filters_and_comes_as_a_workbook(district):
    late, _soon, gone = opened(3)
    Case.objects.filter(pk=late).update(due_at=timezone.now() - dt.timedelta(days=3))
    cases.system_command(gone, "withdraw", {"run_id": "r2"}, idempotency_key="w", now=timezone.now())
    row, content = made(district.operator, "supervision", "xlsx", kind="overdue", pack="grid-verification")
    sheet = load_workbook(io.BytesIO(content)).active
    assert row.number in sheet["A1"].value and sheet.max_row == 4 and sheet["A3"].value == late
    _row, content = made(district.operator, "supervision", kind="withdrawn", article="house:10")
    assert gone in content.decode() and late not in content.decode()
    page = browser(district.operator).get("/supervision/cases?kind=soon&department=market").content.decode()
    assert "list=supervision" in page and "kind=soon" in page


def test_no_spreadsheet_runs_what_a_list_holds(district):
    facts = firm_facts(subject_label="=HYPERLINK(1)", area="=cmd")
    cases.open_case("grid-verification", facts, cell_code=CELL, idempotency_key="f", now=timezone.now())
    _row, content = made(district.worker, "tasks")
    assert "'=cmd" in content.decode() and ",=cmd" not in content.decode()
    _row, content = made(district.worker, "tasks", "xlsx")
    assert load_workbook(io.BytesIO(content)).active["F3"].value == "'=cmd"


def test_a_list_that_is_longer_than_a_file_says_so(district, monkeypatch):
    opened(4)
    monkeypatch.setattr(worklists, "MOST_LISTED", 3)
    row, content = made(district.worker, "tasks")
    lines = lines_of(content)
    assert row.rows == 3 and len(lines) == 6 and "前 3 行" in lines[0][0] == lines[-1][0]


def test_rows_are_read_as_they_are_written_however_many_there_are(tmp_path):
    """The list is never in memory whole: while it is written, no more than one block of it is held."""
    held = []

    def rows():
        for number in range(3 * writing.BLOCK + 7):
            held.append(number)
            yield (number,), f"P{number % 10}"

    def written():
        return path.stat().st_size if path.exists() else 0

    path = tmp_path / "body"
    sizes = []

    def watched():
        for number, line in enumerate(rows()):
            if number % writing.BLOCK == 0:
                sizes.append(written())
            yield line

    body = writing.write_body(Table(("n",), watched()), "ab" * 32, path)
    assert (body.rows, body.more, len(body.persons)) == (writing.BLOCK, True, 10)
    assert len(held) == writing.BLOCK + 1, "what is beyond the limit is not read"
    body = writing.write_body(Table(("n",), watched(), most=10**6), "ab" * 32, path)
    assert body.rows == 3 * writing.BLOCK + 7 and not body.more
    numbers = [int(line.split(",")[0]) for line in path.read_text().splitlines()]
    assert sorted(numbers) == list(range(body.rows)) and numbers != sorted(numbers)
    # Each block stood on the disk before the next was asked for.
    assert sizes[-4:] == sorted(sizes[-4:])
