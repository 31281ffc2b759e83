"""Certificates issued at once: numbers in their steps, then credential, PDF and seal of each by one worker of the outbox.

The floor beside it is the work itself in one process, nothing durable: typst sets the same page, pyHanko seals it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "certificates"
DRIVER = Path(__file__).parents[1] / "tests" / "certificates" / "issuing_driver.py"
GOAL_SECONDS = 10


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Return the rows."""
    number = 3 if small else 10
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "CHENGSHU_VAR": folder}
        env.pop("DATABASE_URL", None)
        command = [sys.executable, str(DRIVER), "figure", str(number)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    floor = plain(number)
    jobs = found["jobs_seconds"]
    return {
        "rows": [
            {
                "what": f"{number} certificates at once: number and leaf, seconds a step",
                "ours": round(found["steps_seconds"] / number, 3),
                "goal": 1,
            },
            {
                "what": f"{number} certificates at once: all PDFs sealed by one worker, seconds",
                "ours": jobs,
                "peer": round(floor, 2),
                "ratio": round(jobs / floor, 2),
                "goal": GOAL_SECONDS,
            },
        ]
    }


def plain(number: int) -> float:
    """Return how long typst and pyHanko alone take for so many, in one process."""
    import typst

    from chengshu.contexts.certificates import authority
    from chengshu.contexts.certificates.pdf_signing import seal_pdf
    from chengshu.contexts.certificates.typesetting.press import FONTS

    now = dt.datetime.now(dt.UTC)
    root, key = authority.new_key(), authority.new_key()
    top = authority.authority_certificate(root, "Benchmark", now)
    leaf = authority.seal_certificate(key, top, root, "Benchmark", "Benchmark", now)
    page = '#set text(font: "Noto Serif SC")\n' + "".join(f"数据知识产权登记证书 {n}\n\n" for n in range(20))
    started = time.perf_counter()
    for _ in range(number):
        pdf = typst.compile(page.encode(), font_paths=[str(FONTS)], ignore_system_fonts=True)
        seal_pdf(pdf, key, [leaf, top], reason="x", place=None, appearance=None, now=now)
    return time.perf_counter() - started
