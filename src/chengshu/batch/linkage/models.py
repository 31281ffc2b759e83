"""Pinned linkage models: numbers in a versioned file, levels in code; the two must fit each other."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from chengshu.batch.linkage.levels import STARTING, Model
from chengshu.kernel.problems import Problem, Where

_DATA = Path(__file__).parent / "data"


@cache
def pinned(kind: str) -> Model:
    """Return the shipped model of ``kind`` (person, firm, facility, premises)."""
    if kind not in STARTING:
        raise Problem(
            "linkage-kind", f"Nothing is known about linking {kind!r}", remedy=f"use {', '.join(STARTING)}"
        )
    path = _DATA / f"{kind}.json"
    return load_model(path) if path.exists() else STARTING[kind]


def load_model(path: Path) -> Model:
    """Read a model file; refuses one whose comparisons or levels are not those of this program."""
    data = json.loads(path.read_text(encoding="utf-8"))
    start = STARTING.get(data.get("kind", ""))
    if start is None:
        raise Problem(
            "linkage-model", "The model is of no known kind", where=Where(file=str(path), field="kind")
        )
    comparisons = []
    for comparison in start.comparisons:
        values = data["comparisons"].get(comparison.name, {})
        if set(values) != {level.code for level in comparison.levels}:
            raise Problem(
                "linkage-model",
                f"The levels of {comparison.name!r} are not those of this version",
                where=Where(file=str(path), field=comparison.name),
                remedy="use the model that came with this version, or train one anew",
            )
        comparisons.append(comparison.with_values({code: (m, u) for code, (m, u) in values.items()}))
    return replace(start, version=data["version"], prior=data["prior"], comparisons=tuple(comparisons))


def save_model(model: Model, path: Path) -> None:
    """Write a model's numbers as JSON, six significant digits each."""
    body = {
        "kind": model.kind,
        "version": model.version,
        "prior": model.prior,
        "comparisons": {
            comparison.name: {
                level.code: [float(f"{level.m:.6g}"), float(f"{level.u:.6g}")] for level in comparison.levels
            }
            for comparison in model.comparisons
        },
    }
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
