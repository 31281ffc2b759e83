"""Parse labelled real addresses and hospitals' addresses, beside cpca and addressparser in the same run.

Data: ``address_parsing`` (Li et al., NAACL 2019; no licence, so it is measured with and nothing else) and
``hospitals`` (wuhan2020map, MIT). Rows are split by a hash of their text: the development half was read for
errors while the rules were written, the held-out half is only scored.

How a label maps to a field (its first occurrence in the row counts; a row without the label does not):
prov → province, city → city, district → district, town → street, road → road, roadno → number. Names are compared
exactly, without their kind (省 市 区 县 街道 镇 路 街 号 …) and numbers in digits. "Province+city+district all right" asks
for every one of the three that is labelled. The annotators put county-level cities now under city, now under
district, and write colloquial forms (德宏州): in the main figure each labelled name must name one of our three
divisions; the strict figure beside it asks for the same field and the same letters. Former names (江干区) count
as what was written, which is what the parser gives when it is not told a day.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from chengshu.batch.address.core import parser
from chengshu.batch.address.gazetteer import gazetteer, short_name
from chengshu.batch.address.parse import parse_column
from chengshu.batch.address.text import with_digits

NAME = "address parsing"
NOT_RUN = 3
_DIGIT = re.compile("[0-9]")
DIVISIONS = {"prov": "province", "city": "city", "district": "district"}
PARTS = {"town": "street", "road": "road", "roadno": "number"}
GOALS = {"divisions": 0.975, "street": 0.93, "road": 0.85, "number": 0.85}
HOSPITAL_GOALS = {"city": 0.95, "district": 0.82}
_KIND = {
    "street": re.compile("(?:街道办事处|街道办|街道|办事处|镇|乡)$"),
    "road": re.compile("(?:大街|大道|公路|胡同|路|街|巷|弄|道)$"),
    "number": re.compile("(?:号|弄|巷)$"),
}
Answer = tuple[str | None, str | None, str | None]


class Labelled(NamedTuple):
    """One labelled address: its text, whether it is held out, its labels."""

    text: str
    held_out: bool
    labels: dict[str, str]


def read_labelled(path: Path) -> list[Labelled]:
    """Read the file of characters and labels; blank lines part the addresses."""
    rows = []
    for block in path.read_text("utf-8").strip().split("\n\n"):
        parts: list[list[str]] = []
        for line in block.split("\n"):
            letter, _, label = line.rpartition(" ")
            if label.startswith("I-") and parts:
                parts[-1][1] += letter
            else:
                parts.append([label.removeprefix("B-"), letter])
        text = "".join(value for _, value in parts)
        labels: dict[str, str] = {}
        for label, value in parts:
            labels.setdefault(label, value)
        digest = hashlib.sha256(text.encode()).digest()
        rows.append(Labelled(text, bool(digest[-1] % 2), labels))
    return rows


@lru_cache(maxsize=100_000)
def division_core(name: str | None) -> str:
    """Return what a division's name says without its kind; a colloquial form says what the official one does."""
    if not name:
        return ""
    known = gazetteer()
    keys = known.heads.entries.get(name, ())
    if len(keys) == 1 and len(name) > 2 and name not in known.mistaken:
        return short_name(known.by_key[keys[0]].name)
    return short_name(name)


def part_core(field: str, value: str | None) -> str:
    """Return a street, road or number without its kind, numerals of numbers in digits."""
    if not value:
        return ""
    if field == "number":
        value = with_digits(value)
    return _KIND[field].sub("", value) if len(value) > 1 else value


def divisions_right(labels: dict[str, str], answer: Answer) -> tuple[bool, bool] | None:
    """Return whether all labelled divisions are right: by name, and strictly by field and letters."""
    asked = [label for label in DIVISIONS if label in labels]
    if not asked:
        return None
    have = {division_core(name) for name in answer if name}
    fair = all(division_core(labels[label]) in have for label in asked)
    given = dict(zip(DIVISIONS, answer, strict=True))
    strict = all(short_name(labels[label]) == short_name(given[label] or "") for label in asked)
    return fair, strict


def score_divisions(rows: Sequence[Labelled], answers: Sequence[Answer]) -> tuple[float, float]:
    """Return the share of rows with all divisions right, and the strict share."""
    found = [divisions_right(row.labels, answer) for row, answer in zip(rows, answers, strict=True)]
    kept = [pair for pair in found if pair is not None]
    return sum(fair for fair, _ in kept) / len(kept), sum(strict for _, strict in kept) / len(kept)


def score_part(rows: Sequence[Labelled], label: str, values: Sequence[str | None]) -> float:
    """Return the share of rows with this label whose field is exactly right."""
    field = PARTS[label]
    pairs = [
        (row.labels[label], value) for row, value in zip(rows, values, strict=True) if label in row.labels
    ]
    return sum(part_core(field, want) == part_core(field, have) for want, have in pairs) / len(pairs)


# -- peers ---------------------------------------------------------------------------------------------------
def peers() -> dict[str, Callable[[list[str]], list[Answer]]]:
    """Return the peers that are installed, each as a function from texts to (province, city, district)."""
    found: dict[str, Callable[[list[str]], list[Answer]]] = {}
    for name in ("cpca", "addressparser"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = __import__(name)
        except ImportError:
            continue
        found[name] = lambda texts, module=module: _answers(module.transform(texts))
    return found


def _answers(table: Any) -> list[Answer]:
    """Read a peer's table; the placeholder 市辖区 of the four municipalities stands for the city itself."""
    rows = []
    for province, city, district in zip(table["省"], table["市"], table["区"], strict=True):
        names = [name if isinstance(name, str) and name else None for name in (province, city, district)]
        if names[1] in ("市辖区", "县"):
            names[1] = names[0]
        rows.append((names[0], names[1], names[2]))
    return rows


def _ours(texts: list[str]) -> tuple[pl.DataFrame, list[Answer]]:
    frame = parse_column(pl.Series(texts))
    return frame, list(frame.select("province", "city", "district").iter_rows())


# -- figures -------------------------------------------------------------------------------------------------
def _row(
    what: str, ours: float, *, peer: float | None = None, goal: float | None = None, **more: Any
) -> dict[str, Any]:
    ratio = round(ours / peer, 3) if peer else None
    row = {
        "what": what,
        "ours": round(ours, 4),
        "peer": peer and round(peer, 4),
        "ratio": ratio,
        "goal": goal,
    }
    if goal is not None:
        row["reached"] = ours >= goal if more.get("by") != "ratio" else bool(ratio and ratio >= goal)
    row.update({key: value for key, value in more.items() if key != "by"})
    return row


def accuracy(rows: list[Labelled]) -> list[dict[str, Any]]:
    """Score both halves, ours beside the peers."""
    figures = []
    for half, held_out in (("development half", False), ("held-out half", True)):
        part = [row for row in rows if row.held_out is held_out]
        texts = [row.text for row in part]
        frame, answers = _ours(texts)
        fair, strict = score_divisions(part, answers)
        others = {name: score_divisions(part, run(texts)) for name, run in peers().items()}
        best = max(others, key=lambda name: others[name][0]) if others else None
        figures.append(
            _row(f"province+city+district all right, {half}", fair, peer=others[best][0] if best else None,
                 goal=GOALS["divisions"], peer_name=best)
        )  # fmt: skip
        figures.append(
            _row(f"  the same, strictly by field and letters, {half}", strict, peer=others[best][1] if best else None,
                 goal=GOALS["divisions"], peer_name=best)
        )  # fmt: skip
        for label, field in PARTS.items():
            figures.append(
                _row(f"{field}, exact without kind, {half}", score_part(part, label, frame[field].to_list()),
                     goal=GOALS[field])
            )  # fmt: skip
    return figures


def speed(rows: list[Labelled], copies: int) -> list[dict[str, Any]]:
    """Measure rows a second in turns with the peers, all levels parsed; medians of three, after one small warm-up.

    Two tables: one like a district's (each address ``copies`` times, every time with other digits: no row twice, but
    many houses of one road), and the labelled addresses once, hardly two of one road, caches emptied before each turn.
    """
    chance = random.Random(5)
    once = [row.text for row in rows]
    many = [_DIGIT.sub(lambda _: chance.choice("0123456789"), text) for text in once * copies]
    chance.shuffle(many)
    figures = []
    for what, texts in (
        ("a district's table, no row twice", many),
        ("the labelled addresses once, cold", once),
    ):
        rate = _rates(texts)
        figures += [
            _row(f"rows a second, {what}, {os.cpu_count()} cores, against {name}", rate["ours"], peer=rate[name],
                 goal=1.0 if name == "cpca" and texts is many else None, by="ratio", peer_name=f"{name}, one process")
            for name in rate if name != "ours"
        ]  # fmt: skip
    return figures


def _rates(texts: list[str]) -> dict[str, float]:
    runners: dict[str, Callable[[list[str]], Any]] = {
        "ours": lambda some: parse_column(pl.Series(some)),
        **peers(),
    }
    rates: dict[str, list[float]] = {name: [] for name in runners}
    for run in runners.values():
        run(texts[:1000])
    for _ in range(3):
        for name, run in runners.items():
            parser(None, None).forget()
            started = time.perf_counter()
            run(texts)
            rates[name].append(len(texts) / (time.perf_counter() - started))
    return {name: statistics.median(found) for name, found in rates.items()}


def hospitals(path: Path) -> list[dict[str, Any]]:
    """Compare city and district of real hospital addresses, by the address alone and with the hospital's name."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["address"].strip()]
    figures = []
    for what, texts in (
        ("address alone", [row["address"] for row in rows]),
        ("address and name", [f"{row['address']} {row['name']}" for row in rows]),
    ):
        answers = {"ours": _ours(texts)[1], **{name: run(texts) for name, run in peers().items()}}
        for field, place, column in (("city", 1, "city"), ("district", 2, "county")):
            asked = [(row[column], i) for i, row in enumerate(rows) if row[column].strip()]
            share = {
                name: sum(short_name(want) == short_name(found[i][place] or "") for want, i in asked)
                / len(asked)
                for name, found in answers.items()
            }
            ours = share.pop("ours")
            best = max(share, key=lambda name: share[name]) if share else None
            figures.append(
                _row(f"hospitals, {what}: {field} right", ours, peer=share[best] if best else None,
                     goal=HOSPITAL_GOALS[field], peer_name=best)
            )  # fmt: skip
        figures += _ceiling(what, rows, [answer[2] for answer in answers["ours"]])
    return figures


def _ceiling(what: str, rows: list[dict[str, str]], districts: Sequence[str | None]) -> list[dict[str, Any]]:
    """Say what of the districts a parser can know: some labels are none (市本级), some addresses name none."""
    asked = [(row, found) for row, found in zip(rows, districts, strict=True) if row["county"].strip()]
    known = {short_name(place.name) for place in gazetteer().by_key.values()}
    right = sum(_clean(row) == short_name(found or "") for row, found in asked)
    knowable = sum(_clean(row) in known and found is not None for row, found in asked)
    return [
        _row(
            f"hospitals, {what}: district right, labels without stray spaces, points, city",
            right / len(asked),
        ),
        _row(f"hospitals, {what}: label is a division and the text names one", knowable / len(asked)),
    ]


def _clean(row: dict[str, str]) -> str:
    """Return a label as it was meant: 丰 县, 红桥区. and 拉萨市城关区 are 丰县, 红桥区 and 城关区."""
    label = "".join(row["county"].split()).rstrip(".")
    return short_name(label.removeprefix(row["city"]) or label)


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Run all figures; without the folder of measured data nothing can be said."""
    data = shared / "data" if shared else None
    if data is None or not (data / "address_parsing" / "train.txt").is_file():
        return {
            "name": NAME,
            "rows": [],
            "not_run": "the folder of measured data (data/address_parsing) is not here",
        }
    rows = read_labelled(data / "address_parsing" / "train.txt")
    return {
        "name": NAME,
        "rows": [
            *accuracy(rows),
            *hospitals(data / "hospitals" / "hospitals.csv"),
            *speed(rows, 4 if small else 24),
        ],
    }


def _shared(arguments: list[str]) -> Path | None:
    if "--shared" in arguments:
        return Path(arguments[arguments.index("--shared") + 1])
    beside = Path(__file__).resolve().parent.parent.parent / "shared"
    named = os.environ.get("CHENGSHU_SHARED")
    return Path(named) if named else beside if beside.is_dir() else None


if __name__ == "__main__":
    result = run(small="--small" in sys.argv, shared=_shared(sys.argv))
    if result.get("not_run"):
        print(f"NOT RUN: {result['not_run']}")
        sys.exit(NOT_RUN)
    print(json.dumps(result, indent=1, ensure_ascii=False))
