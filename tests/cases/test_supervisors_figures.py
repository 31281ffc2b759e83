"""A supervisor's figures and lists agree with what stands in the database, and beyond what anybody counts they say so."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import load, standing
from chengshu.contexts.cases.models import Case, CaseEvent, Job, Task
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger.api import Sql

PACK = Path(__file__).parents[2] / "benchmarks" / "packs" / "five-steps"
KINDS = ("overdue", "soon", "open", "ended", "withdrawn", "reversed")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def now(db):
    return timezone.now()


@pytest.fixture
def mixed(now):
    """A hundred cases: late, soon, far, undated, ended lately and long ago, withdrawn, reversed and open again."""
    for code in ("market", "tax"):
        identity.save_department(code, code, code)
    cases.load_pack_version(PACK, now)
    facts = {"department": "market", "subject_label": "样例", "amount": 1}
    openings = [cases.Opening(facts, f"m{n}", department="market") for n in range(100)]
    ids = list(cases.open_many("five-steps", openings, now=now).case_ids.values())
    chance = random.Random(5)
    rows = list(Case.objects.filter(pk__in=ids))
    for row in rows:
        row.department = chance.choice(("market", "tax"))
        row.due_at = chance.choice((now - 2 * DAY, now - HOUR, now + HOUR, now + 9 * DAY, None))
        row.amber_at = row.due_at - DAY if row.due_at else None
        if chance.random() < 0.5:
            row.closed_at = now - chance.choice((HOUR, 3 * DAY, 89 * DAY, 95 * DAY))
        if chance.random() < 0.4:
            row.turned, row.turned_seq = chance.choice(("withdrawn", "reversed")), row.version
            row.turned_at = now - chance.choice((HOUR, 5 * DAY, 95 * DAY))
    Case.objects.bulk_update(
        rows, ["department", "due_at", "amber_at", "closed_at", "turned", "turned_at", "turned_seq"]
    )
    return list(Case.objects.filter(pk__in=ids))


@pytest.fixture
def busy(mixed, now):
    """The same cases with their tasks, a third of these without anyone; some jobs that failed; half of them in three cells."""
    chance, tasks = random.Random(6), []
    cells = ("Z1-001", "Z1-002", "Z2-001")
    for number, case in enumerate(mixed):
        case.cell_code = cells[number % 3] if chance.random() < 0.5 else ""
        for task in Task.objects.filter(case=case):
            task.owner = "nobody" if chance.random() < 0.3 else task.owner
            task.due_at, task.amber_at, task.open = case.due_at, case.amber_at, case.closed_at is None
            tasks.append(task)
    Case.objects.bulk_update(mixed, ["cell_code"])
    Task.objects.bulk_update(tasks, ["owner", "due_at", "amber_at", "open"])
    for number in range(9):
        state = Job.State.DEAD if number < 7 else Job.State.DONE
        Job.objects.create(
            kind="effect", case=mixed[0], payload="{}", key=f"j{number}", state=state, run_at=now, made_at=now
        )
    return [task for task in tasks if task.open]


def belongs(case, kind, now):
    """Say, one case at a time, whether it is of a kind."""
    since = now - 90 * DAY
    if kind in ("withdrawn", "reversed"):
        return case.turned == kind and case.turned_at >= since
    if kind == "ended":
        return case.closed_at is not None and case.closed_at >= since
    if case.closed_at is not None:
        return False
    late = case.due_at is not None and case.due_at <= now
    if kind == "soon":
        return case.due_at is not None and not late and case.amber_at <= now
    return late or kind == "open"


def test_figures_and_lists_are_what_one_counts_case_by_case(mixed, now, monkeypatch):
    whole = [row.case_id for row in cases.all_supervised(cases.Asked("open"), now)]
    monkeypatch.setattr(standing, "AT_ONCE", 2)
    assert [row.case_id for row in cases.all_supervised(cases.Asked("open"), now)] == whole, (
        "in several statements"
    )
    monkeypatch.undo()
    (line,) = [each for each in cases.standing(now) if each.pack == "five-steps"]
    assert not line.more
    for kind in KINDS:
        right = {case.pk for case in mixed if belongs(case, kind, now)}
        assert getattr(line, kind) == len(right) > 0, kind
        for asked in (
            cases.Asked(kind),
            cases.Asked(kind, "five-steps"),
            cases.Asked(kind, department="tax"),
        ):
            some = {
                case.pk for case in mixed if case.pk in right and asked.department in ("", case.department)
            }
            pages = [cases.supervised(asked, now, page) for page in range(1, 1 + -(-len(some) // 25))]
            listed = [row.case_id for rows, _total, _more in pages for row in rows]
            assert len(listed) == len(some) and set(listed) == some, asked
            assert {(total, more) for _rows, total, more in pages} == {(len(some), False)}
            assert [row.case_id for row in cases.all_supervised(asked, now)] == listed, (
                "the file goes on as the pages do"
            )
        rows = cases.supervised(cases.Asked(kind), now)[0]
        if kind == "overdue":
            dues = [Case.objects.get(pk=row.case_id).due_at for row in rows]
            assert dues == sorted(dues), "the latest due first"
        if kind == "ended":
            assert [row.closed_at for row in rows] == sorted((row.closed_at for row in rows), reverse=True)
    late, more = cases.late_by_department(now)
    overdue = [case.department for case in mixed if belongs(case, "overdue", now)]
    assert dict(late) == {name: overdue.count(name) for name in ("market", "tax")} and not more
    steps = {case.pk for case in mixed for kind in ("withdrawn", "reversed") if belongs(case, kind, now)}
    assert sum(
        number for *_step, number in standing.turning_steps(("withdrawn", "reversed"), now - 90 * DAY)
    ) == len(steps)
    assert CaseEvent.objects.filter(case_id__in=steps).count() >= len(steps)


def test_an_article_narrows_a_list_to_cases_whose_step_rests_on_it(mixed, now):
    pack = cases.current_pack("five-steps")
    assert cases.supervised(cases.Asked("withdrawn", article="nowhere:1"), now)[:2] == ([], 0)
    for article in {key for step in pack.transitions for key in step.cite} - set(pack.opening.cite):
        assert cases.supervised(cases.Asked("open", article=article), now)[:2] == ([], 0), (
            "only opened so far"
        )


def test_beyond_what_is_counted_the_page_says_at_least(mixed, now, monkeypatch):
    right = [case for case in mixed if belongs(case, "open", now)]
    monkeypatch.setattr(standing, "LEAST", 3)
    monkeypatch.setattr(standing, "MOST", 6)
    (line,) = [each for each in cases.standing(now) if each.pack == "five-steps"]
    assert {"open", "overdue", "ended"} <= line.more and line.overdue == 6 and line.open == 18 < len(right)
    rows, total, more = cases.supervised(cases.Asked("overdue", "five-steps"), now)
    assert (len(rows), total, more) == (6, 6, True)
    assert len(list(cases.all_supervised(cases.Asked("overdue"), now))) == sum(
        belongs(case, "overdue", now) for case in mixed
    ), "a file holds what the page does not count"
    client = Client()
    client.force_login(identity.save_account("op", display_name="刘伟", role="operator"))
    page = client.get("/supervision/").content.decode()
    assert ">6+</a>" in page and "只数到这里" in page
    page = client.get("/supervision/cases?kind=overdue").content.decode()
    assert "共 6+ 件" in page and "导出名单" in page


def by_hand(tasks, mixed, now):
    """Count the work there is, one thing at a time."""
    dated = [task for task in tasks if task.due_at is not None]
    return {
        "open": sum(case.closed_at is None for case in mixed),
        "overdue": sum(task.due_at <= now for task in dated),
        "due_soon": sum(task.due_at > now >= task.amber_at for task in dated),
        "unowned": sum(task.owner == "nobody" for task in tasks),
        "dead_jobs": 7,
    }


def test_the_work_there_is_agrees_with_what_one_counts_by_hand(busy, mixed, now):
    found, right = cases.load_summary(now), by_hand(busy, mixed, now)
    assert found == right | {"more": frozenset()} and all(right.values())
    there = [case.cell_code for case in mixed if case.cell_code and case.closed_at is None]
    assert cases.open_by_cell() == {cell: there.count(cell) for cell in there}
    assert cases.open_by_cell(["Z1-001", "Z9-999"]) == {
        "Z1-001": there.count("Z1-001")
    } and not cases.open_by_cell([])
    Case.objects.filter(cell_code="Z1-002").update(closed_at=now)
    assert set(cases.open_by_cell()) == {"Z1-001", "Z2-001"}, "a cell with ended cases only has none"


def test_of_more_work_than_is_counted_the_front_page_says_at_least(busy, mixed, now, monkeypatch):
    right = by_hand(busy, mixed, now)
    monkeypatch.setattr(standing, "LEAST", 3)
    monkeypatch.setattr(standing, "MOST", 6)
    monkeypatch.setattr(load, "MOST_IN_A_CELL", 2)
    found = cases.load_summary(now)
    assert found.pop("more") == set(right)
    soon = found.pop("due_soon")
    assert set(found.values()) == {6} and 0 < soon <= right["due_soon"]
    assert set(cases.open_by_cell().values()) == {2}
    for role in ("operator", "steward"):
        client = Client()
        client.force_login(identity.save_account(role, display_name="刘伟", role=role))
        client.get("/")
        with CaptureQueriesContext(connection) as captured:
            page = client.get("/").content.decode()
        assert ">6+<" in page and "只数到这里" in page
        assert role == "steward" or "6+ 个后台作业" in page
        assert len(captured) <= 15, captured.captured_queries


def test_counting_reads_the_indexes_and_no_row(busy, now, monkeypatch):
    """Whatever a million cases weigh, the figures read at most so many entries of an index."""
    if connection.vendor != "sqlite":
        pytest.skip("plans of small tables on PostgreSQL read the table")
    asked, run = [], Sql.run

    def watched(self, statement, values=()):
        if any(table in statement for table in ("cases_case c", "cases_task t", "cases_job j")):
            asked.append((statement, values))
        return run(self, statement, values)

    monkeypatch.setattr(Sql, "run", watched)
    cases.standing(now)
    cases.late_by_department(now)
    cases.load_summary(now)
    cases.open_by_cell()
    cases.open_by_cell(["Z1-001", "Z2-001"])
    for kind in KINDS:
        cases.supervised(cases.Asked(kind, department="tax"), now)
    monkeypatch.undo()
    assert len(asked) >= 10
    for statement, values in asked:
        plan = [
            row[-1]
            for row in connection.connection.execute(
                f"EXPLAIN QUERY PLAN {statement.replace('%s', '?')}", values
            )
        ]
        reads = [line for line in plan if line.split()[:2][-1] in ("c", "t", "j")]
        # Rows of tasks are looked at, no more than are counted: their indexes do not hold what they are conditioned on.
        right = (
            "COVERING INDEX",
            "t USING INDEX tasks_of_pack (pack=? AND due_at",
            "t USING INDEX tasks_of_owner (owner=?",
        )
        assert reads and all(any(each in line for each in right) for line in reads), (statement, reads)
