"""A full build, a rebuild after 1 % of the rows changed, and how both grow with size.

There is no peer that does this work; the rows carry goals. `python benchmarks/build.py --people 1000000` runs one
size and prints JSON. Each build is a process of its own, so its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from chengshu.batch.generate import generate
from chengshu.kernel.resources import shipped

NAME = "Builds: full, after 1 % changed, and cost against size"
SIZES, SMALL = (10_000, 100_000, 1_000_000), (2_000, 10_000)
GOAL_SECONDS, GOAL_GIB, GOAL_REBUILD = 480, 8, 0.10
ON = dt.date(2026, 11, 20)
# What an ordinary day changes: a phone, a name's spelling, an address; in every source that has such a column.
TEXT = {
    "residents.csv": ["lxdh", "jzdz"], "patients.csv": ["mobile", "home"], "tenancies.csv": ["联系电话", "出租屋地址"],
    "firms.csv": ["联系电话", "住所"], "premises.csv": ["mj"],
}  # fmt: skip


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Measure every size; the largest against the goals."""
    del shared
    with tempfile.TemporaryDirectory(
        prefix="chengshu-bench-", dir=os.environ.get("CHENGSHU_BENCH_DIR")
    ) as folder:
        measured = [one_size(people, Path(folder)) for people in (SMALL if small else SIZES)]
    largest = measured[-1]
    rows: list[dict[str, Any]] = []
    for item in measured:
        size = f"{item['people']:,} people, {item['rows']:,} rows"
        rows += [
            {"what": f"full build, {size}: seconds", "ours": item["full_seconds"]},
            {"what": f"full build, {size}: rows a second", "ours": item["rows"] / item["full_seconds"]},
            {"what": f"full build, {size}: peak GiB", "ours": item["full_gib"]},
            {"what": f"after 1 % changed, {size}: seconds", "ours": item["rebuild_seconds"]},
        ]
    share = largest["rebuild_seconds"] / largest["full_seconds"]
    rows += [
        {"what": "after 1 % changed / full, largest size", "ours": share, "goal": f"≤ {GOAL_REBUILD}"},
        {"what": "full build, largest size: seconds", "ours": largest["full_seconds"], "goal": f"≤ {GOAL_SECONDS}"},
        {"what": "full build, largest size: peak GiB", "ours": largest["full_gib"], "goal": f"≤ {GOAL_GIB}"},
        {"what": "seconds a row, largest / smallest size", "ours": _growth(measured), "goal": "about 1 (linear)"},
    ]  # fmt: skip
    return {"rows": rows, "measured": measured}


def _growth(measured: list[dict[str, Any]]) -> float:
    first, last = measured[0], measured[-1]
    return float((last["full_seconds"] / last["rows"]) / (first["full_seconds"] / first["rows"]))


def one_size(people: int, folder: Path) -> dict[str, Any]:
    """Generate a district, build it, change 1 % of its rows, build again, and once more unchanged."""
    sources, var = folder / f"sources-{people}", folder / f"var-{people}"
    generate(sources, people, 20231123, ON)
    try:
        full = build(sources, var)
        changed = change(sources, share=0.01)
        again = build(sources, var)
        idle = build(sources, var)
    finally:
        shutil.rmtree(sources, ignore_errors=True)
        shutil.rmtree(var, ignore_errors=True)
    return {
        "people": people, "rows": full["rows"], "changed": changed, "subjects": full["facts"]["subjects"],
        "full_seconds": full["wall"], "full_gib": full["gib"], "full_steps": full["facts"]["seconds"],
        "rebuild_seconds": again["wall"], "rebuild_gib": again["gib"], "rebuild_steps": again["facts"]["seconds"],
        "unchanged_seconds": idle["wall"], "findings": full["facts"]["findings"],
    }  # fmt: skip


def build(sources: Path, var: Path) -> dict[str, Any]:
    """Run `chengshu build` as a process and return its report with wall seconds and peak memory."""
    var.mkdir(exist_ok=True)
    command = [
        sys.executable, "-c", "from chengshu.site.cli import main; main()", "build", "--sources", str(sources),
        "--home", "440306", "--json", "--declarations", str(shipped("districts", "baoan", "sources")),
    ]  # fmt: skip
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "CHENGSHU_VAR": str(var)}, text=True
    ) as process:
        watch = Memory(process.pid)
        watch.start()
        out, _ = process.communicate()
    wall = time.perf_counter() - start
    watch.join()
    if process.returncode != 0:
        raise RuntimeError(f"the build failed with exit code {process.returncode}: {out[-500:]}")
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return {**report, "wall": wall, "gib": watch.peak / 2**30}


class Memory(threading.Thread):
    """Watches the memory of a process and all its children (proportional: a shared page counts once)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak = pid, 0

    def run(self) -> None:
        while Path(f"/proc/{self.pid}").exists():
            self.peak = max(self.peak, sum(_proportional(pid) for pid in _tree(self.pid)))
            time.sleep(0.25)


def _tree(pid: int) -> list[int]:
    found = [pid]
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return found
    for child in children:
        found += _tree(int(child))
    return found


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def change(sources: Path, *, share: float, seed: int = 7) -> int:
    """Change ``share`` of the rows of every table as a day would: other phones and addresses, some rows gone and new."""
    rng = np.random.default_rng(seed)
    changed = 0
    for path in sorted(sources.glob("*/*.csv")):
        columns = TEXT.get(path.name)
        if columns is None:
            continue
        encoding = "utf8" if _is_utf8(path) else "gb18030"
        frame = pl.read_csv(path, infer_schema=False, encoding=encoding)
        rows = np.sort(rng.choice(frame.height, max(1, int(frame.height * share)), replace=False))
        column = str(rng.choice(columns))
        values = frame[column].to_list()
        others = rng.integers(0, frame.height, len(rows))
        for row, other in zip(rows.tolist(), others.tolist(), strict=True):
            values[row] = values[other]
        frame = frame.with_columns(pl.Series(column, values, dtype=pl.String))
        path.write_bytes(frame.write_csv().encode(encoding))
        changed += len(rows)
    return changed


def _is_utf8(path: Path) -> bool:
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chengshu-bench-", dir=arguments.folder) as work:
        print(json.dumps(one_size(arguments.people, Path(work)), ensure_ascii=False, indent=1))
