"""Hands documents to the typesetting process and reads back what it made; bounded in time."""

from __future__ import annotations

import base64
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chengshu.kernel.problems import Problem, Where

HERE = Path(__file__).resolve().parent
FONTS = HERE.parent / "fonts"
SECONDS = 20
MOST_SEALS = 64
# Seal as SVG → as PDF.
_drawn: dict[str, bytes] = {}
SHIPPED = ("certificate", "decision", "notice")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A typeset document. ``seal_at``: page (from 1) and left upper corner of the seal in points, or None."""

    pdf: bytes
    seal_at: tuple[int, float, float] | None
    seal_pdf: bytes | None


def shipped_template(name: str) -> str:
    """Return the text of a template that ships with the program."""
    if name not in SHIPPED:
        raise Problem("template-unknown", "没有这个文书模板", detail=name, status=422)
    return (HERE / "documents" / f"{name}.typ").read_text(encoding="utf-8")


def print_sheet(
    template: str,
    data: Mapping[str, Any],
    *,
    now: dt.datetime,
    seal: str = "",
    extra: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Sheet:
    """Typeset a template with its data; ``extra`` are further files beside it. Raises ``Problem`` when it fails."""
    if not (FONTS / "NotoSerifSC-Regular.ttf").exists():
        raise Problem(
            "font-missing",
            "证照所用的字体不在这里",
            where=Where(file=str(FONTS)),
            remedy="run: make setup (or pip install --no-deps --no-build-isolation --editable .)",
            status=503,
        )
    files = {
        **(extra or {}),
        "main.typ": template,
        "lib.typ": (HERE / "documents" / "lib.typ").read_text(encoding="utf-8"),
        "data.json": json.dumps(data, ensure_ascii=False, default=str),
    }
    drawn = _drawn.get(seal)
    job = {
        "files": files,
        "main": "main.typ",
        "fonts": str(FONTS),
        "made_at": int(now.timestamp()),
        "seal": "" if drawn else seal,
    }
    done = _run(job, seconds)
    if "error" in done:
        raise Problem("template-broken", "文书模板无法排版", detail=str(done["error"])[:1000], status=422)
    if done.get("seal_pdf"):
        drawn = _keep_drawn(seal, base64.b64decode(done["seal_pdf"]))
    at = done["seal_at"][-1] if done["seal_at"] else None
    return Sheet(
        base64.b64decode(done["pdf"]),
        (int(at["page"]), float(at["x"]), float(at["y"])) if at else None,
        drawn,
    )


def _keep_drawn(seal: str, pdf: bytes) -> bytes:
    """Keep a seal's picture: a department's is the same on every paper, and drawing it takes as long as the paper."""
    if len(_drawn) >= MOST_SEALS:
        _drawn.clear()
    _drawn[seal] = pdf
    return pdf


def _run(job: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-I", str(HERE / "worker.py")]
    try:
        # An empty environment but for what finds the interpreter's libraries: no secret can be typeset.
        ended = subprocess.run(
            command,
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=seconds,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Problem("template-slow", "文书模板排版超时", detail=f"{seconds:.0f} s", status=422) from error
    if ended.returncode != 0 or not ended.stdout:
        tail = ended.stderr.decode("utf-8", "replace")[-500:]
        raise Problem("template-stopped", "排版进程被中止", detail=f"{ended.returncode} {tail}", status=422)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
