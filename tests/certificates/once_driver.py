"""Applies for the same children from several processes at once, on whatever database the environment names.

Four processes apply for each child and confirm; afterwards another applies again. Prints one JSON object.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from multiprocessing import get_context
from typing import Any

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
PACK = "birth-data"
CHILDREN, RACERS = 5, 4


def facts(child: int) -> dict[str, Any]:
    from chengshu.contexts.cases import api
    from chengshu.site.simulation.samples import read_samples

    given = dict(read_samples(api.current_files(PACK)).openings[0].facts)
    return {**given, "record_number": f"BR-2026-{child:06d}"}


def apply(name: str, child: int) -> str:
    """Apply and confirm; return the state, or the code of the refusal."""
    from chengshu.contexts.cases import api
    from chengshu.contexts.identity import api as identity
    from chengshu.kernel.problems import Problem

    account = identity.account_named(name)
    try:
        case = api.open_case(
            PACK, facts(child), opened_by=account, idempotency_key=f"{name}:{child}", now=NOW
        )
        done = api.command(
            case,
            "confirm",
            {"agreed": True},
            actor=account,
            expected_version=None,
            idempotency_key=None,
            now=NOW,
        )
    except Problem as problem:
        return problem.code
    return str(done.state)


def racer(name: str, results: Any) -> None:
    from django.db import connection

    connection.close()
    results.put([apply(name, child) for child in range(CHILDREN)])


def main() -> dict[str, Any]:
    """Race, then apply once more; what each child got."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", skip_checks=True, verbosity=0)
    from chengshu.contexts.cases import api
    from chengshu.contexts.certificates.models import Certificate, RegisterKey
    from chengshu.contexts.identity import api as identity

    identity.save_department("health", "卫生健康局", "Health")
    for number in range(RACERS + 1):
        identity.save_account(f"p{number}", display_name="林静雯", role="resident")
    api.need_shipped("seconds-service", NOW)
    api.need_shipped(PACK, NOW)
    connection.close()
    context = get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=racer, args=(f"p{n}", results)) for n in range(RACERS)]
    for process in processes:
        process.start()
    got = [results.get(timeout=300) for _ in processes]
    for process in processes:
        process.join()
    return {
        "got": [sorted(each) for each in zip(*got, strict=True)],
        "later": [apply(f"p{RACERS}", child) for child in range(CHILDREN)],
        "issued": Certificate.objects.filter(type=PACK).count(),
        "kept": RegisterKey.objects.filter(register=PACK, kept=True).count(),
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
    print(json.dumps(main()))
