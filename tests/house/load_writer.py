"""Opens and works cases until it is stopped: ``python load_writer.py``; prints each case that was acknowledged."""

import datetime as dt
import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
PACK = Path(__file__).parents[2] / "benchmarks" / "packs" / "five-steps"


def main():
    import django

    django.setup()
    from chengshu.contexts.cases import api as cases
    from chengshu.contexts.identity import api as identity
    from chengshu.contexts.ledger import api as ledger

    now = dt.datetime.now(dt.UTC)
    identity.save_department("market", "市场监管局", "Market Supervision")
    officer = identity.save_account("o", display_name="周敏", role="officer", department="market")
    cases.load_pack_version(PACK, now)
    number = 0
    while True:
        number += 1
        now = dt.datetime.now(dt.UTC)
        facts = {"department": "market", "subject_label": f"示例{number}", "amount": 1}
        case_id = cases.open_case(
            "five-steps",
            facts,
            opened_by=officer,
            department="market",
            idempotency_key=f"load:{number}",
            now=now,
        )
        for name, data in (("accept", {}), ("examine", {"note": "齐"})):
            cases.command(
                case_id, name, data, actor=officer, expected_version=None, idempotency_key=name, now=now
            )
        if number % 5 == 0:
            ledger.sequence(now)
        print(case_id, flush=True)


if __name__ == "__main__":
    sys.exit(main())
