"""One engine in a process of its own: ``python -m engine_peers NAME FOLDER``; a number a line in, a rate a line out."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

STEPS = 5


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    work = importlib.import_module(f"engine_peers.{name}").prepare(folder)
    print("ready", flush=True)
    for line in sys.stdin:
        cases = int(line)
        started, busy = time.perf_counter(), time.process_time()
        work(cases)
        rate = cases * STEPS / (time.perf_counter() - started)
        # On a busy machine the processor time of a step says more than the clock.
        print(f"rate {rate:.1f} {(time.process_time() - busy) / cases / STEPS * 1e6:.0f}", flush=True)


if __name__ == "__main__":
    main()
