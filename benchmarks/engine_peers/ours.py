"""Chengshu: pack, roles, form, guard, term, task, event, projection, ledger leaf, idempotency key, in each step."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
PACK = Path(__file__).parents[1] / "packs" / "five-steps"


def prepare(folder: Path) -> Callable[[int], None]:
    """Return the work: so many cases of five steps. ``DATABASE_URL`` says which database, as everywhere."""
    os.environ["CHENGSHU_VAR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
    import django

    django.setup()
    from django.core.management import call_command

    if not os.environ.get("CHENGSHU_BENCH_READY"):
        call_command("migrate", skip_checks=True, verbosity=0)
    from chengshu.contexts.cases import api, store
    from chengshu.contexts.identity import api as identity

    if not os.environ.get("CHENGSHU_BENCH_READY"):
        identity.save_department("market", "市场监管局", "Market Supervision")
        identity.save_account("o", display_name="周敏", role="officer", department="market")
        api.load_pack_version(PACK, NOW)
    officer = identity.account_named("o")
    number = count()

    def step(case_id: str, name: str, version: int, **data: object) -> None:
        store.command(
            case_id,
            name,
            data,
            actor=officer,
            now=NOW,
            expected_version=version,
            idempotency_key=f"{name}-{version}",
        )

    def work(cases: int) -> None:
        for _ in range(cases):
            serial = next(number)
            case_id = api.open_case(
                "five-steps",
                {"department": "market", "subject_label": f"示例商贸有限公司{serial}", "amount": 3},
                opened_by=officer,
                department="market",
                idempotency_key=f"bench:{os.getpid()}:{serial}",
                now=NOW,
            )
            step(case_id, "accept", 1)
            step(case_id, "examine", 2, note="材料齐全")
            step(case_id, "approve", 3, approved=True)
            step(case_id, "issue", 4)

    return work
