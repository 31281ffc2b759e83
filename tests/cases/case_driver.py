"""Runs cases in processes of its own, on whatever database the environment names: ``kill N`` or ``race``.

``kill`` forks workers that take steps without end, kills each at a random instant, and then looks at everything that is
stored. ``race`` lets several processes sweep, answer and run jobs at the same time. Prints one JSON object.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
FACTS = {
    "kind": "firm-address",
    "subject_id": "F000000017",
    "subject_label": "示例商贸有限公司",
    "element": "firm.address",
    "values": [{"value": "甲路1号"}, {"value": "乙路2号"}],
    "address": "甲路1号",
}


def setup() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", skip_checks=True, verbosity=0)
    from chengshu.contexts.cases import api
    from chengshu.contexts.identity import api as identity

    identity.save_department("market", "市场监管局", "Market")
    identity.save_account("w", display_name="陈志强", role="grid_worker")
    identity.save_account("op", display_name="刘伟", role="operator")
    identity.save_account("o", display_name="周敏", role="officer", department="market")
    api.load_shipped(NOW)


def wire_mail(folder: Path) -> None:
    """An outside effect: it writes a line of its own for each call, as a mail server would get a message each time."""
    from chengshu.contexts.cases import jobs
    from chengshu.procedure.ports import registry

    def mail(request):
        with open(folder / "mails", "a", encoding="utf-8") as file:
            file.write(f"{request.idempotency_key}\n")
        return {}

    registry.effect_handlers["test_mail"] = mail
    assert jobs.EFFECT


def send_mail(case_id: str, key: str) -> None:
    """Put a mail into the outbox as a step does it."""
    from chengshu.contexts.cases import jobs
    from chengshu.procedure.ports import Actor, EffectRequest

    jobs.enqueue_effect(EffectRequest(case_id, "test_mail", {}, {}, {}, Actor("7", "陈志强"), NOW, key))


def wire_effect(log: Path) -> None:
    """An inside effect that writes a row of its own, so that a half-applied step would show."""
    from chengshu.contexts.cases.models import Notice
    from chengshu.procedure.ports import registry

    def correct_fact(request):
        Notice.objects.create(
            owner="test:corrected", case_id=request.case_id, key=request.idempotency_key, text_zh="", text_en="",
            at=request.now,
        )  # fmt: skip
        return {"correction": request.idempotency_key}

    registry.effect_handlers["correct_fact"] = correct_fact


def fresh_connection() -> None:
    from django.db import connections

    connections.close_all()


def work(seed: int, acks: Path) -> None:
    """Take steps until killed; each step that came back is written down first thing."""
    from chengshu.contexts.cases import api
    from chengshu.contexts.identity import api as identity

    rng = random.Random(seed)
    worker, operator, officer = (identity.account_named(name) for name in ("w", "op", "o"))
    out = os.open(acks, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def ack(case_id: str, version: int) -> None:
        os.write(out, f"{case_id} {version}\n".encode())

    number = 0
    while True:
        number += 1
        case_id = api.open_case("grid-verification", FACTS, idempotency_key=f"{seed}:{number}", now=NOW)
        ack(case_id, 1)
        done = api.reassign(case_id, worker, actor=operator, reason="测试", now=NOW)
        ack(case_id, done.seq)
        for _ in range(rng.randint(0, 2)):
            view = api.command(
                case_id, "report", {"finding": "unlicensed", "description": "x"}, actor=worker, expected_version=None,
                idempotency_key=None, now=NOW,
            )  # fmt: skip
            ack(case_id, view.version)
        for child in view.children if number % 3 == 0 and "view" in locals() else ():
            for name, data in (("accept", {}), ("result", {"result": "unfounded", "result_text": "x"})):
                ack(child.case_id, _do(api, child.case_id, name, data, officer))
        name, data = rng.choice(
            [
                ("confirm", {"value": "甲路1号"}),
                ("correct", {"corrected": "丙路3号"}),
                ("cannot_verify", {"reason": "demolished"}),
                ("cannot_verify", {"reason": "nobody-home"}),
            ]
        )
        ack(case_id, _do(api, case_id, name, data, worker))
        view = api.case_view(case_id, worker, now=NOW)
        _odd_jobs(seed, seed + number, case_id, rng, ack)


def _odd_jobs(seed: int, number: int, case_id: str, rng: random.Random, ack) -> None:
    """What happens besides steps: mail, clocks, bulk openings, the sequencer."""
    from chengshu.contexts.cases import api
    from chengshu.contexts.ledger import api as ledger

    if number % 2 == 0:
        send_mail(case_id, f"mail:{seed}:{number}")
        ack(f"mail:{seed}:{number}", 1)
    if number % 4 == 0:
        api.sweep(NOW + dt.timedelta(days=rng.randint(0, 20)), limit=3)
        api.run_jobs(NOW + dt.timedelta(days=30), limit=3)
    if number % 4 == 1:
        more = [api.Opening(FACTS, f"bulk:{seed}:{number}:{n}") for n in range(20)]
        for opened in api.open_many("grid-verification", more, now=NOW).case_ids.values():
            ack(opened, 1)
    if number % 4 == 2:
        ledger.sequence(dt.datetime.now(dt.UTC), takeover=True)


def _do(api, case_id, name, data, actor) -> int:
    from chengshu.kernel.problems import Problem

    try:
        view = api.command(
            case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=NOW
        )
    except Problem as problem:
        if problem.code not in ("command-not-now", "command-not-yours", "case-changed"):
            raise
        return 1
    return view.version


def look(acks: Path) -> dict:
    """Check every stored case, every acknowledged step and the ledger."""
    from chengshu.contexts.cases import api
    from chengshu.contexts.cases.models import Case, CaseEvent, Job, Notice
    from chengshu.contexts.ledger import api as ledger

    api.run_jobs(NOW + dt.timedelta(days=60), limit=100_000)
    faults = {}
    for case_id in Case.objects.values_list("pk", flat=True):
        if found := api.check_case(case_id):
            faults[case_id] = found
    posted = Job.objects.filter(key__startswith="mail:")
    versions = dict(Case.objects.values_list("pk", "version"))
    versions |= dict.fromkeys(posted.values_list("key", flat=True), 1)
    mails = acks.parent / "mails"
    sent = mails.read_text().split() if mails.exists() else []
    done = set(posted.filter(state="done").values_list("key", flat=True))
    notices = Notice.objects.values_list("key", flat=True)
    lines = acks.read_text().splitlines() if acks.exists() else []
    acked = [line.split() for line in lines if line.count(" ") == 1]
    lost = [line for line in acked if versions.get(line[0], 0) < int(line[1])]
    corrections = Notice.objects.filter(owner="test:corrected").count()
    wanted = CaseEvent.objects.filter(step__in=["confirm-firm", "correct"]).count()
    ledger.sequence(dt.datetime.now(dt.UTC))
    report = ledger.verify()
    return {
        "cases": len(versions),
        "events": CaseEvent.objects.count(),
        "acked": len(acked),
        "faults": faults,
        "lost": lost,
        "corrections": corrections,
        "corrections_wanted": wanted,
        # An outside effect may happen again after a kill, but never not at all, and always under the same key.
        "mails_never_sent": sorted(done - set(sent)),
        "mails_unknown": sorted({key for key in sent if key not in versions}),
        "mails": len(set(sent)),
        "notices_twice": len(notices) - len(set(notices)),
        "waiting_jobs": Job.objects.exclude(state="done").count(),
        "ledger": bool(report.ok),
        "leaves": report.size,
    }


def _wait_for_work(acks: Path, limit: float) -> None:
    before = acks.stat().st_size if acks.exists() else 0
    until = time.monotonic() + limit
    while time.monotonic() < until and (acks.stat().st_size if acks.exists() else 0) == before:
        time.sleep(0.01)


def kill(times: int) -> dict:
    folder = Path(os.environ["CHENGSHU_VAR"])
    setup()
    acks = folder / "acks"
    wire_effect(folder)
    wire_mail(folder)
    rng = random.Random(times)
    for seed in range(times):
        fresh_connection()
        child = os.fork()
        if child == 0:
            work(seed, acks)
            os._exit(1)
        if rng.random() < 0.7:
            # On a busy machine a worker needs a while to begin: mostly it is killed in the midst of its work.
            _wait_for_work(acks, limit=5.0)
        time.sleep(rng.uniform(0.02, 0.5))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return look(acks)


def race() -> dict:
    """Four processes sweep the same due terms, answer the same cases and run the same jobs."""
    from multiprocessing import get_context

    folder = Path(os.environ["CHENGSHU_VAR"])
    setup()
    wire_effect(folder)
    from chengshu.contexts.cases import api
    from chengshu.contexts.cases.models import CaseEvent, Task

    openings = [api.Opening(FACTS, f"race:{n}") for n in range(40)]
    ids = list(api.open_many("grid-verification", openings, now=NOW).case_ids.values())
    from chengshu.contexts.identity import api as identity

    Task.objects.filter(open=True).update(owner=f"account:{identity.account_named('w').pk}")
    fresh_connection()
    context = get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_racer, args=(ids, results)) for _ in range(4)]
    for process in processes:
        process.start()
    outcomes = [results.get(timeout=300) for _ in processes]
    for process in processes:
        process.join()
    found = look(folder / "none")
    found["ended"] = sum(outcome["ended"] for outcome in outcomes)
    found["answered"] = sum(outcome["answered"] for outcome in outcomes)
    found["told"] = sum(outcome["told"] for outcome in outcomes)
    found["expired_events"] = CaseEvent.objects.filter(step="expired").count()
    return found


def _racer(ids, results) -> None:
    from chengshu.contexts.cases import api
    from chengshu.contexts.identity import api as identity
    from chengshu.kernel.problems import Problem

    worker = identity.account_named("w")
    answered = told = 0
    for case_id in ids[:20]:
        try:
            api.command(
                case_id,
                "correct",
                {"corrected": "丙路3号"},
                actor=worker,
                expected_version=1,
                idempotency_key=None,
                now=NOW,
            )
            answered += 1
        except Problem as problem:
            if problem.code not in ("case-changed", "command-not-now"):
                raise
            told += 1
    ended = api.sweep(NOW + dt.timedelta(days=10))
    results.put({"answered": answered, "told": told, "ended": ended})


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
    outcome = kill(int(sys.argv[2])) if sys.argv[1] == "kill" else race()
    print(json.dumps(outcome, ensure_ascii=False))
