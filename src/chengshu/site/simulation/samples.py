"""What actors say: facts and answers that the packs' own golden cases give, varied by chance."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image

from chengshu.contexts.cases.api import CommandView, FieldView, FileIn
from chengshu.kernel.codes import resident_id_check
from chengshu.kernel.strict_yaml import parse_yaml
from chengshu.procedure.files import PackFiles

_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n%"


@dataclass(frozen=True, slots=True)
class Sample:
    """How a golden case opens: in which role, with which facts."""

    role: str
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Samples:
    """All openings of a pack, and for each command the answers that were not refused."""

    openings: list[Sample] = field(default_factory=list)
    answers: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))


def read_samples(files: PackFiles) -> Samples:
    """Gather the samples of a pack from its golden cases."""
    found = Samples()
    for path in files.under("cases"):
        sheet = parse_yaml(files.texts[path], files.name(path))
        for case in sheet["cases"]:
            given = case["given"]
            if "refused" not in given:
                found.openings.append(Sample(str(given.get("by", "system")), _plain(given.get("facts", {}))))
            for step in case.get("when") or ():
                if step.get("do") and not step.get("refused"):
                    found.answers[str(step["do"])].append(_plain(step.get("with", {})))
    return found


def answer(
    samples: Samples, view: CommandView, today: dt.date, rng: random.Random
) -> tuple[dict[str, Any], list[FileIn]]:
    """Return data and files for a command: mostly a golden case's own answer, now and then made up field by field."""
    fields = {item.name: item for item in view.fields}
    known = samples.answers.get(view.name)
    said: Mapping[str, Any]
    if known and rng.random() < 0.85:
        said = {name: value for name, value in rng.choice(known).items() if name in fields}
    else:
        said = {name: made_up(item, today, rng) for name, item in fields.items() if item.required}
    data = {name: value for name, value in said.items() if value is not None and fields[name].kind != "files"}
    sent = [item for item in fields.values() if item.kind == "files" and (item.required or item.name in said)]
    return data, [a_file(item, rng) for item in sent]


def made_up(item: FieldView, today: dt.date, rng: random.Random) -> Any:
    """Return some value of a field's type; ``None`` where chance can make none that means anything."""
    if item.choices:
        return rng.choice([value for value, _ in item.choices])
    makers: dict[str, Callable[[], Any]] = {
        "boolean": lambda: rng.random() < 0.5,
        "integer": lambda: rng.randrange(0, 120),
        "money": lambda: rng.randrange(0, 1_000_000),
        "date": lambda: (today + dt.timedelta(days=rng.randrange(-30, 400))).isoformat(),
        "texts": lambda: [f"模拟 {rng.randrange(1000)}"],
        "text": lambda: f"模拟 {rng.randrange(100_000)}"[: item.most],
    }
    return makers[item.kind]() if item.kind in makers else None


def a_file(item: FieldView, rng: random.Random) -> FileIn:
    """Return a small real file of the kind that a field accepts."""
    if item.accept == "document":
        return paper(item.name, rng)
    picture = BytesIO()
    colour = tuple(rng.randrange(256) for _ in range(3))
    Image.new("RGB", (8, 8), colour).save(picture, "JPEG")
    return FileIn("simulated.jpg", picture.getvalue(), item.name)


def paper(name: str, rng: random.Random) -> FileIn:
    """Return a small document for a field."""
    return FileIn("simulated.pdf", _PDF + str(rng.random()).encode(), name)


def varied(facts: Mapping[str, Any], number: int, rng: random.Random) -> dict[str, Any]:
    """Return a golden case's facts made unlike the last one's: names, digests and identity numbers are others."""
    changed = dict(facts)
    for name, value in facts.items():
        if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value):
            changed[name] = hashlib.sha256(f"{name}{number}".encode()).hexdigest()
        elif isinstance(value, str) and re.fullmatch(r"\d{17}[\dX]", value):
            body = f"{value[:14]}{rng.randrange(1000):03}"
            changed[name] = body + resident_id_check(body)
        elif isinstance(value, str) and re.fullmatch(r"[A-Z]{2}-\d{4}-\d{6}", value):
            # The number of a record: what rests on it is had once.
            changed[name] = f"{value[:8]}{number % 1_000_000:06}"
    texts = [name for name, value in facts.items() if isinstance(value, str) and not value.isascii()]
    if texts and rng.random() < 0.8:
        name = max(texts, key=lambda key: len(str(facts[key])))
        changed[name] = f"{facts[name]}（{number}）"
    return changed


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value
