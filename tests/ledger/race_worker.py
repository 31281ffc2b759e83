"""One process of the race tests: ``python race_worker.py write|bulk|sequence NUMBER SECONDS``; prints "begun" when it has,
and JSON at the end."""

import datetime as dt
import json
import os
import random
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")


def write(number, seconds, api, transaction):
    """Deposit in transactions that end late, some of them with a rollback."""
    chance, kept, until = random.Random(number), [], time.monotonic() + seconds
    while time.monotonic() < until:
        names = [f"w{number}:{time.monotonic_ns()}:{n}" for n in range(chance.randint(1, 4))]
        try:
            with transaction.atomic():
                for name in names:
                    api.deposit("race", name, {"n": name}, now=dt.datetime.now(dt.UTC))
                time.sleep(chance.random() * 0.02)
                if chance.random() < 0.2:
                    raise InterruptedError
            kept += names
        except InterruptedError:
            pass
    return kept


def bulk(number, seconds, api, transaction):
    """Append batches that are numbered at once."""
    kept, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        names = [f"b{number}:{time.monotonic_ns()}:{n}" for n in range(50)]
        api.append_many(
            [api.Deposit("bulk", name, {"n": name}) for name in names], now=dt.datetime.now(dt.UTC)
        )
        kept += names
        time.sleep(0.01)
    return kept


def sequence(number, seconds, api, transaction):
    """Number leaves like the clock of a server."""
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        done += api.sequence(dt.datetime.now(dt.UTC))
        time.sleep(0.005)
    return [done]


def main():
    """Run one worker."""
    import django

    django.setup()
    from django.db import transaction

    from chengshu.contexts.ledger import api

    work = {"write": write, "bulk": bulk, "sequence": sequence}[sys.argv[1]]
    print("begun", flush=True)
    print(json.dumps(work(int(sys.argv[2]), float(sys.argv[3]), api, transaction)))


if __name__ == "__main__":
    main()
