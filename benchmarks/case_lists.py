"""An officer's list, its search, and the sweep of terms, at a million open cases, on SQLite and on PostgreSQL.

The cases are written by SQL from two that the engine opened: a million of them, each with a term and a task, of which 3 in
10 lie in the queues of twelve departments and the others with three hundred officers. Ten thousand terms have ended.
The sweep runs once with one worker on half of them, then with two workers at the same time on the rest.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAME = "case lists"
NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
PACK = Path(__file__).parent / "packs" / "five-steps"
SURNAMES = "新安福永沙井松岗西乡石岩航城燕罗创业宝城海滨前进大浪兴华裕安"
TRADES = ("商贸", "电子", "餐饮", "五金", "物流", "服装", "建材", "科技", "印刷", "家具", "食品", "医药")
FORMS = ("有限公司", "商店", "工厂", "经营部", "中心")
ASKED = {
    "an officer's first page": {},
    "a page by key, far down": {"deep": True},
    "red only": {"light": "red"},
    "amber only": {"light": "amber"},
    "by pack and kind": {"pack": "five-steps", "kind": ""},
    "a word in 1 of 12 names": {"text": "餐饮"},
    "a name": {"text": "{name}"},
    "a word that no name has": {"text": "龙舟"},
    "a case number": {"text": "{case}"},
    "the operator's list of all": {"view": "all"},
}


def setup(number: int, due: int) -> None:
    """Open two cases by the engine, and copy them by SQL."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from chengshu.contexts.cases import api, words
    from chengshu.contexts.identity import api as identity

    call_command("migrate", skip_checks=True, verbosity=0)
    for n in range(12):
        identity.save_department(f"d{n}", f"部门{n}", f"Department {n}")
    for n in range(3):
        identity.save_account(f"o{n}", display_name=f"经办{n}", role="officer", department=f"d{n}")
    identity.save_account("op", display_name="刘伟", role="operator")
    identity.save_department("market", "市场监管局", "Market Supervision")
    api.load_pack_version(PACK, NOW)
    facts = {"department": "market", "subject_label": "样例", "amount": 1}
    cases = [
        api.open_case("five-steps", facts, department="market", idempotency_key=key, now=when)
        for key, when in (("late", NOW - dt.timedelta(days=30)), ("fresh", NOW))
    ]
    chance = random.Random(7)
    names = [
        (
            n,
            f"{chance.choice(SURNAMES)}{chance.choice(SURNAMES)}{chance.choice(TRADES)}{chance.choice(FORMS)}",
            f"街道{n % 10}",
        )
        for n in range(5000)
    ]
    sqlite = connection.vendor == "sqlite"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE names (n integer PRIMARY KEY, label varchar(200), area varchar(100))"
        )
        cursor.executemany("INSERT INTO names VALUES (%s, %s, %s)", names)
        for statement in copies(sqlite, cases, number, due):
            cursor.execute(statement)
    while words.index_words(50_000):
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if sqlite else "VACUUM ANALYZE")


def copies(sqlite: bool, cases: list[str], number: int, due: int) -> Iterator[str]:
    """Yield the statements that copy the two cases a million times."""
    from chengshu.contexts.cases.models import Case, CaseTerm, Task

    number_of = "substr('0000000000000000' || n.i, -16)" if sqlite else "lpad(n.i::text, 16, '0')"
    late, fresh = ("datetime(s.{c}, '-' || (n.i % 20) || ' hours')", "datetime(s.{c}, '+' || (n.i % 900) || ' hours')") if sqlite else (
        "s.{c} - (n.i % 20) * interval '1 hour'", "s.{c} + (n.i % 900) * interval '1 hour'")  # fmt: skip
    owner = (
        "CASE WHEN n.i % 10 < 3 THEN 'department:d' || (n.i % 12) ELSE 'account:' || (1000 + n.i % 300) END"
    )
    for case, first, last, shift in ((cases[0], 1, due, late), (cases[1], due + 1, number, fresh)):
        series = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
        own = {
            Case: {"id": f"'C' || {number_of}", "open_key": "'copy:' || n.i", "label": "x.label || n.i", "area": "x.area"},
            CaseTerm: {"case_id": f"'C' || {number_of}"},
            Task: {"case_id": f"'C' || {number_of}", "owner": owner},
        }  # fmt: skip
        for model, given in own.items():
            columns = [
                field.column for field in model._meta.concrete_fields if field.column != "id" or model is Case
            ]
            moved = {name: shift.format(c=name) for name in ("due_at", "amber_at")}
            chosen = [given.get(name) or moved.get(name) or f's."{name}"' for name in columns]
            key = "id" if model is Case else "case_id"
            listed = ", ".join(f'"{name}"' for name in columns)
            head, table = (f"INSERT INTO {model._meta.db_table} ({listed}) ", model._meta.db_table)
            yield (
                f"{head}{series}SELECT {', '.join(chosen)} FROM n JOIN {table} s ON s.{key} = '{case}' "
                "JOIN names x ON x.n = n.i % 5000"
            )


def lists(rounds: int) -> dict[str, list[float]]:
    """Return the times of each question, in milliseconds."""
    import django

    django.setup()
    from chengshu.contexts.cases import api
    from chengshu.contexts.cases.models import Case
    from chengshu.contexts.identity import api as identity

    officers, operator = [identity.account_named(f"o{n}") for n in range(3)], identity.account_named("op")
    chance = random.Random(3)
    known = list(Case.objects.filter(label__gt="").values_list("pk", "label")[:2000])
    times: dict[str, list[float]] = {}
    for turn in range(rounds + 2):
        for what, asked in ASKED.items():
            values = dict(asked)
            officer = operator if values.get("view") else chance.choice(officers)
            deep = values.pop("deep", False)
            case, label = chance.choice(known)
            values["text"] = str(values.get("text", "")).format(name=label, case=case)
            after = (
                f"0,500000,{(NOW + dt.timedelta(days=30 + chance.random() * 10)).isoformat()}" if deep else ""
            )
            started = time.perf_counter()
            api.tasks_for(officer, now=NOW, filters=api.Filters(**values), after=after)
            if turn > 1:
                times.setdefault(what, []).append((time.perf_counter() - started) * 1000)
    return times


def sweep(limit: int) -> dict[str, Any]:
    """Sweep once; returns how many ended and how long it took."""
    import django

    django.setup()
    from chengshu.contexts.cases import api

    started = time.perf_counter()
    ended = api.sweep(NOW, limit)
    return {"ended": ended, "seconds": time.perf_counter() - started}


def exactly_once() -> dict[str, int]:
    """Count the steps that ended terms, the terms that ended, and those twice."""
    import django

    django.setup()
    from django.db.models import Count

    from chengshu.contexts.cases.models import CaseEvent, CaseTerm

    late = CaseEvent.objects.filter(step="late")
    twice = late.values("case_id").annotate(n=Count("pk")).filter(n__gt=1).count()
    return {
        "events": late.count(),
        "expired": CaseTerm.objects.filter(state="expired").count(),
        "twice": twice,
    }


def call(environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """Run a part of this file in a process of its own."""
    return subprocess.Popen(
        [sys.executable, __file__, *words], env=environment, stdout=subprocess.PIPE, text=True
    )


def answer(process: subprocess.Popen[str]) -> Any:
    """Return what a part printed."""
    out = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(f"{process.args} failed")
    return json.loads(out.splitlines()[-1])


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the address of each database, by name."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from tests_support.postgres import new_database, running_postgres

    with running_postgres(folder / "postgres") as url:
        yield {"SQLite": "", "PostgreSQL": new_database(url)}


def measure(environment: dict[str, str], number: int, due: int, rounds: int) -> dict[str, Any]:
    """Return what one database reached."""
    answer(call(environment, "setup", str(number), str(due)))
    times = answer(call(environment, "lists", str(rounds)))
    one = answer(call(environment, "sweep", str(due // 2)))
    started = time.perf_counter()
    two = [answer(process) for process in [call(environment, "sweep", str(due)) for _ in range(2)]]
    both = time.perf_counter() - started
    return {"times": times, "one": one, "two": two, "both": both, "once": answer(call(environment, "once"))}


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Measure on both databases; rows with goals."""
    number, due, rounds = (20_000, 400, 10) if small else (1_000_000, 10_000, 40)
    if "CHENGSHU_BENCH_CASES" in os.environ:
        number = int(os.environ["CHENGSHU_BENCH_CASES"])
        due = number // 100
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("CHENGSHU_BENCH_DIR")) as name:
        folder = Path(name)
        (folder / "postgres").mkdir(mode=0o755)
        folder.chmod(0o755)
        with databases(folder) as found:
            for title, url in found.items():
                environment = {
                    **os.environ,
                    "CHENGSHU_VAR": str(folder),
                    "DJANGO_SETTINGS_MODULE": "chengshu.site.settings",
                }
                environment.pop("DATABASE_URL", None)
                environment |= {"DATABASE_URL": url} if url else {}
                rows += as_rows(title, measure(environment, number, due, rounds), number, due)
    return {"name": NAME, "rows": rows}


def as_rows(title: str, got: dict[str, Any], number: int, due: int) -> Iterator[dict[str, Any]]:
    """Yield the figures of one database."""

    def row(what: str, value: Any, goal: Any, reached: bool | None) -> dict[str, Any]:
        return {
            "what": what,
            "ours": value,
            "peer": None,
            "peer_name": None,
            "ratio": None,
            "goal": goal,
            "reached": reached,
        }

    share = [value for values in got["times"].values() for value in values]
    worst = statistics.quantiles(share, n=20)[-1]
    yield row(
        f"{title}, {number} open cases: a page of a list, 95th percentile, ms",
        round(worst, 1),
        "<= 50",
        worst <= 50,
    )
    for what, values in got["times"].items():
        high = statistics.quantiles(values, n=20)[-1]
        yield row(
            f"  {what}: median / 95th percentile, ms",
            f"{statistics.median(values):.1f} / {high:.1f}",
            None,
            None,
        )
    once, one = got["once"], got["one"]
    seconds = one["seconds"] * due / max(one["ended"], 1)
    yield row(
        f"{title}: sweep of {due} ended terms, one worker, seconds (from half of them)",
        round(seconds, 1),
        "<= 10",
        seconds <= 10,
    )
    rest = sum(each["ended"] for each in got["two"])
    yield row(
        f"{title}: the other {rest}, two workers at once, seconds with their start",
        round(got["both"], 1),
        None,
        None,
    )
    exact = once["events"] == once["expired"] == due + 1 and not once["twice"]
    yield row(
        f"{title}: terms ended once / twice in the database",
        f"{once['events']} / {once['twice']}",
        f"{due} / 0",
        exact,
    )


PARTS: dict[str, Callable[..., Any]] = {"setup": setup, "lists": lists, "sweep": sweep, "once": exactly_once}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in PARTS:
        print(json.dumps(PARTS[sys.argv[1]](*map(int, sys.argv[2:]))))
    else:
        print(json.dumps(run(small="--small" in sys.argv), indent=2, ensure_ascii=False))
