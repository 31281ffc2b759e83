"""Issues certificates and sends messages in processes of its own, on whatever database the environment names.

``kill N`` kills the worker of the outbox N times at random while it issues and sends, then looks at everything; ``race`` lets
three workers empty the same outbox while others take numbers; ``figure N`` times N certificates issued at once.
Prints one JSON object.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from email import message_from_bytes

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


class Kept:
    """A mail server that remembers what it took."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def handle_DATA(self, server, session, envelope):
        self.ids.append(message_from_bytes(envelope.content)["Message-ID"])
        return "250 OK"


def setup() -> Kept:
    from aiosmtpd.controller import Controller

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = Kept()
    Controller(kept, hostname="127.0.0.1", port=port).start()
    os.environ["CHENGSHU_SMTP"] = f"smtp://127.0.0.1:{port}"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", skip_checks=True, verbosity=0)
    from chengshu.contexts.cases import api as cases
    from chengshu.contexts.identity import api as identity
    from chengshu.kernel.resources import shipped

    identity.save_department("market", "市场监管局", "Market")
    identity.save_account("op", display_name="刘伟", role="operator", email="op@example.com")
    cases.load_pack_version(shipped("packs", "cn", "grid-verification"), NOW)
    return kept


def apply_for(number: int) -> str:
    """Open a case, take a certificate for it and tell the operator: what one step of a pack does."""
    from django.db import transaction

    from chengshu.contexts.cases import api as cases
    from chengshu.procedure.ports import Actor, EffectRequest, registry

    facts = {
        "kind": "firm-address", "subject_id": "F000000017", "subject_label": "示例公司", "element": "firm.address",
        "values": [{"value": "甲"}, {"value": "乙"}], "address": "甲路1号",
    }  # fmt: skip
    case_id = cases.open_case("grid-verification", facts, idempotency_key=f"issue:{number}", now=NOW)
    actor = Actor("system", "系统")
    params = {
        "type": "data-ip", "holder": f"示例公司{number}", "valid_from": NOW.date(), "claims": {"number": number},
    }  # fmt: skip
    message = {"to": "supervisor", "text": "late", "channel": "email"}
    with transaction.atomic():
        handler = registry.effect_handler("issue_certificate")
        handler(EffectRequest(case_id, "issue_certificate", params, {}, {}, actor, NOW, f"{case_id}:1:0"))
        cases.enqueue_effect(
            EffectRequest(case_id, "send_message", message, {}, {}, actor, NOW, f"{case_id}:1:1")
        )
    return case_id


def forked(work) -> int:
    """Run work in a child process with connections of its own."""
    from django.db import connections

    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def drain(at: dt.datetime) -> None:
    from chengshu.contexts.cases import api as cases

    while cases.run_jobs(at, limit=5):
        pass


def look(kept: Kept, at: dt.datetime, applied: int) -> dict:
    """Check every certificate, file, leaf, message and the ledger."""
    from chengshu.contexts.cases.models import Job
    from chengshu.contexts.certificates import api, store
    from chengshu.contexts.certificates.models import Certificate, Issue
    from chengshu.contexts.ledger import api as ledger
    from chengshu.contexts.messages.models import Delivery

    trust = api.trust_list(at)
    broken = [
        issue.pk
        for issue in Issue.objects.all()
        if issue.made_at is None
        or not api.verify(store.read(issue.pdf_digest), at, trust).ok
        or not api.verify(issue.credential.encode(), at, trust).ok
    ]
    leaves = Counter(entry.reference for entry in ledger.find_entries(kind="certificate.made", number=10_000))
    numbers = sorted(Certificate.objects.values_list("number", flat=True))
    ledger.sequence(dt.datetime.now(dt.UTC), takeover=True)
    return {
        "applied": applied,
        "certificates": len(numbers),
        "gapless": numbers == [f"DI-2026-{n:06d}" for n in range(1, applied + 1)],
        "broken": broken,
        "made_twice": [name for name, times in leaves.items() if times > 1],
        "waiting": Job.objects.exclude(state="done").count(),
        "mails": len(kept.ids),
        "mails_twice": [name for name, times in Counter(kept.ids).items() if times > 1],
        "deliveries": dict(Counter(Delivery.objects.filter(channel="email").values_list("state", flat=True))),
        "ledger": bool(ledger.verify().ok),
    }


def kill(times: int) -> dict:
    kept = setup()
    rng = random.Random(times)
    at, applied = NOW, 0
    for _ in range(times):
        for _ in range(2):
            applied += 1
            apply_for(applied)
        # Whoever was killed held its jobs for five minutes.
        at += dt.timedelta(minutes=6)
        child = forked(lambda: drain(at))  # noqa: B023 - the child has run before `at` changes
        time.sleep(rng.uniform(0.02, 2.5))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    for _ in range(12):
        at += dt.timedelta(hours=7)
        drain(at)
    return look(kept, at, applied)


def race() -> dict:
    kept = setup()
    total = 6
    takers = [forked(lambda part=part: [apply_for(n) for n in range(part, total, 3)]) for part in range(3)]
    for child in takers:
        os.waitpid(child, 0)
    workers = [forked(lambda: drain(NOW)) for _ in range(3)]
    for child in workers:
        os.waitpid(child, 0)
    return look(kept, NOW + dt.timedelta(seconds=1), total)


def figure(number: int) -> dict:
    setup()
    started = time.perf_counter()
    for each in range(1, number + 1):
        apply_for(each)
    taken = time.perf_counter() - started
    started = time.perf_counter()
    drain(NOW)
    return {
        "certificates": number,
        "steps_seconds": round(taken, 2),
        "jobs_seconds": round(time.perf_counter() - started, 2),
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
    word = sys.argv[1]
    outcome = race() if word == "race" else (kill if word == "kill" else figure)(int(sys.argv[2]))
    print(json.dumps(outcome, ensure_ascii=False))
