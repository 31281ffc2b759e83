"""The share of fields not asked: newborn and restaurant, walked page by page on demo data; also with a source down.

Denominator: the distinct fields of the official forms that the pack lists, without what the office fills in and what the form
leaves empty in this case. A field that people write and the pack does not ask counts as asked; one that follows by a rule is
spared only where the rule gives a value (``procedure.official_count``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _serving import environment, found

NAME = "prefill: fields not asked"
GOAL = 0.70
# One-thing, sign-in of the demo, sources that are taken down in turn.
WALKS = (
    ("newborn", "resident", ("public-security.residents", "certificate:birth-record", "certificate:marriage")),
    ("open-a-restaurant", "applicant", (
        "public-security.residents", "certificate:business-licence", "housing.premises", "housing.fire_acceptances",
        "market.revoked_permits", "urban-management.protected_places",
    )),
)  # fmt: skip
JOURNEYS = Path(__file__).with_name("_journeys.py")


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Return the rows."""
    given = os.environ.get("CHENGSHU_BENCH_DEMO")
    with tempfile.TemporaryDirectory() as folder:
        var = Path(given) if given else Path(folder)
        if not given:
            found(environment(var), 400 if small else 2000)
        rows: list[dict[str, Any]] = []
        for pack, user, sources in WALKS:
            whole = walked(var, pack, user)
            rows.append(row(f"{pack}: not asked", whole, GOAL))
            rows.append(
                row(
                    f"{pack}: without consent to anything that needs it",
                    walked(var, pack, user, "--no-consent"),
                )
            )
            if pack == "open-a-restaurant":
                bare = walked(var, pack, user, "--bare")
                rows.append(row(f"{pack}: at a shop whose fire protection nobody accepted", bare))
            rows += [
                row(f"{pack}: with {source} down", walked(var, pack, user, "--halt", source)) for source in sources
            ]  # fmt: skip
    return {"rows": rows}


def row(what: str, walk: dict[str, Any], goal: float | None = None) -> dict[str, Any]:
    """Return one row: ours is the share not asked, the peer what paper leaves out (nothing)."""
    said = (
        f"{what} ({len(walk['answered'])} of {walk['distinct']} fields asked, {len(walk['asked'])} questions)"
    )
    return {"what": said, "ours": walk["not_asked"], "goal": goal}


def walked(var: Path, pack: str, user: str, *more: str) -> dict[str, Any]:
    """Walk one application in a process of its own."""
    command = [sys.executable, str(JOURNEYS), str(var), pack, user, *more]
    done = subprocess.run(command, env=environment(var), check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{pack}: {done.stderr[-2000:]}")
    walk: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return walk
