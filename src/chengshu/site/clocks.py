"""The clocks and jobs of a district, each kind in processes of its own: ``python -m chengshu.site.clocks KIND``.

``clocks`` number the ledger and end terms: they must never wait for a job. ``jobs`` do what takes long: the outbox (papers,
messages), exports, copies, archives; ``outbox`` helps with the outbox alone. Several may run at once: each job takes a lease
in the database, so one of them does it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from types import FrameType

import structlog

from chengshu.site.cli.common import setup_django

log = structlog.get_logger("chengshu.clocks")
MAX_PAUSE_SECONDS = 60.0
# Nobody looks at a page while a job runs: it gives way to those who do.
JOBS_NICENESS = 10


KINDS = ("clocks", "jobs", "outbox")


@dataclass(slots=True)
class Clock:
    """One piece of work that recurs; an error makes it wait longer each time, never stop."""

    name: str
    every_seconds: float
    work: Callable[[datetime], object]
    due: float = 0.0
    failures: int = field(default=0)

    def tick(self) -> None:
        """Do the work once and set the next time."""
        from django.db import close_old_connections

        close_old_connections()
        try:
            self.work(datetime.now(UTC))
            self.failures = 0
        except Exception:
            # The clock must outlive any one failure; the log line and the metric show it.
            self.failures += 1
            log.exception("clock-failed", clock=self.name, failures=self.failures)
        pause = self.every_seconds * 2 ** min(self.failures, 8)
        self.due = time.monotonic() + min(pause, max(MAX_PAUSE_SECONDS, self.every_seconds))


def clocks(kind: str) -> list[Clock]:
    """Return the clocks of a kind of process; imported late because Django must be set up first."""
    from chengshu.contexts.cases import api as cases
    from chengshu.contexts.hall import api as hall
    from chengshu.contexts.ledger import api as ledger
    from chengshu.interfaces.oidc import store as oidc

    outbox = Clock("outbox", 0.5, cases.run_jobs)
    if kind == "outbox":
        return [outbox]
    if kind == "jobs":
        return [
            outbox,
            Clock("copies", 5.0, hall.make_copies),
            Clock("exports", 2.0, hall.exports.run),
            Clock("archive", 20.0, hall.archive.run),
        ]
    return [
        Clock("ledger-sequence", 0.5, ledger.sequence),
        Clock("deadlines", 30.0, cases.sweep),
        Clock("calendars", 60.0, cases.calendars.recount),
        Clock("authorities", 3600.0, cases.parties.end_parties),
        Clock("agents", 3600.0, cases.follow_agents),
        Clock("tokens", 3600.0, oidc.tidy),
        Clock("drafts", 3600.0, cases.drafts.discard),
        Clock("lots", 5.0, hall.draw_lots),
        Clock("uploads", 3600.0, cases.uploads.discard),
        Clock("window-services", 60.0, hall.ratings.take_in_windows),
        Clock("open311", 5.0, hall.hotline.open311.take_in),
    ]


def main() -> None:
    """Run the clocks of the kind that the command line names until SIGTERM or SIGINT."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "clocks"
    if kind not in KINDS:
        raise SystemExit(f"unknown kind {kind!r}: one of {', '.join(KINDS)}")
    if kind != "clocks":
        os.nice(JOBS_NICENESS)
    setup_django()
    stop = Event()

    def on_signal(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    running = clocks(kind)
    log.info("clocks-started", kind=kind, clocks=[clock.name for clock in running])
    while not stop.is_set():
        for clock in running:
            if clock.due <= time.monotonic() and not stop.is_set():
                clock.tick()
        stop.wait(0.1)
    log.info("clocks-stopped", kind=kind)


if __name__ == "__main__":
    main()
