"""Tells when a query speaks of an event in life as a whole, and which one-thing covers it. Data in ``events.yaml``. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chengshu.contexts.hall.search.reading import Reading
from chengshu.kernel.strict_yaml import load_yaml

FILE = Path(__file__).parent / "events.yaml"
NOISE = re.compile(r"[\s,，.。?？!！;；、:：~～…\"'“”‘’()（）]+")
# One character left over is a particle that no list foresaw; two may name a matter.
LEFT_OVER = 1


@dataclass(frozen=True, slots=True)
class Event:
    """An event in life: the pack of the one-thing that covers it, and how people speak of it."""

    pack: str
    said: tuple[re.Pattern[str], ...]


@cache
def events() -> tuple[tuple[Event, ...], re.Pattern[str]]:
    """Return the events in the order in which they are tried, and what says nothing beside them."""
    declared = load_yaml(FILE)
    shorts = {name: str(declared[name]) for name in ("people", "child")}

    def pattern(text: str) -> re.Pattern[str]:
        for name, meaning in shorts.items():
            text = text.replace("{" + name + "}", meaning)
        return re.compile(text)

    found = tuple(
        Event(str(row["pack"]), tuple(pattern(str(each)) for each in row["said"]))
        for row in declared["events"]
    )
    return found, re.compile("|".join(str(each) for each in declared["fillers"]))


def whole_event(reading: Reading) -> str:
    """Return the pack that covers the event a query speaks of as a whole; empty where it names something else."""
    texts: Sequence[str] = [reading.text] + ([reading.corrected] if reading.corrected else [])
    return next((pack for text in texts if (pack := _of_text(NOISE.sub("", text)))), "")


def _of_text(text: str) -> str:
    known, fillers = events()
    for event in known:
        rest, times = text, 0
        for said in event.said:
            rest, found = said.subn(" ", rest)
            times += found
        if times:
            left = NOISE.sub("", fillers.sub("", rest))
            return event.pack if len(left) <= LEFT_OVER else ""
    return ""
