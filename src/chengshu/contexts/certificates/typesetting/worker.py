"""Typesets one document; run as a process of its own: ``python -I worker.py`` with a job as JSON on standard input.

A pack's template is a stranger's program. Here it sees a folder with its own files and nothing else: no network (an empty
network name space where the kernel grants one, dead proxies besides, no package folder), bounded time, memory and output.
It must not import chengshu: what is not loaded cannot be reached.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CPU_SECONDS = 15
MEMORY = 3 << 30
OUTPUT = 64 << 20


def fence() -> bool:
    """Give up the network and most resources; returns whether the kernel took the network away."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = "http://127.0.0.1:9"
    try:
        return ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0
    except (OSError, AttributeError):
        return False


def typeset(job: dict[str, Any]) -> dict[str, Any]:
    """Return the PDF, the place of the seal and the seal's own PDF."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        root, packages = Path(folder, "root"), Path(folder, "packages")
        packages.mkdir()
        for name, text in job["files"].items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        compiler = typst.Compiler(
            input=str(root / job["main"]),
            root=str(root),
            font_paths=[job["fonts"]],
            ignore_system_fonts=True,
            package_path=str(packages),
            package_cache_path=str(packages),
        )
        done: dict[str, Any] = {"pdf": _pdf(compiler, job["made_at"])}
        done["seal_at"] = json.loads(compiler.query("<seal>", field="value"))
        if job.get("seal"):
            (root / "seal.typ").write_text(
                '#set page(width: 42mm, height: 42mm, margin: 0pt, fill: none)\n#image("/seal.svg", width: 42mm)',
                encoding="utf-8",
            )
            (root / "seal.svg").write_text(job["seal"], encoding="utf-8")
            sealer = typst.Compiler(
                input=str(root / "seal.typ"),
                root=str(root),
                font_paths=[job["fonts"]],
                ignore_system_fonts=True,
            )
            done["seal_pdf"] = _pdf(sealer, job["made_at"])
        return done


def _pdf(compiler: Any, made_at: int) -> str:
    return base64.b64encode(compiler.compile(format="pdf", timestamp=made_at)).decode("ascii")


def main() -> None:
    """Read a job, write what came of it: ``{"pdf": …}`` or ``{"error": …}``."""
    job = json.load(sys.stdin)
    fence()
    try:
        done = typeset(job)
    except Exception as error:
        # Whatever the template did wrong is said to its author; the process ends either way.
        done = {"error": f"{error} {getattr(error, 'diagnostic', '')}"[:2000]}
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
