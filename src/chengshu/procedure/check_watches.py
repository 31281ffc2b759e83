"""What a record brings is a command of the system, and its form has a place for the value."""

from __future__ import annotations

from collections.abc import Iterator

from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import SYSTEM, Pack
from chengshu.procedure.sheets import Faults


def check_watches(pack: Pack, files: PackFiles, faults: Faults, known: frozenset[str] | None) -> None:
    """Note every watch whose command the system cannot give, or whose element the catalogue does not have."""
    name = files.name("states.yaml")
    for item in pack.watches:
        steps = [step for step in pack.transitions if step.command == item.command and SYSTEM in step.by]
        if not steps:
            faults.add("command-unknown", f"The system cannot do {item.command!r}", name, item.line,
                       remedy="add a step of that command by [system]")  # fmt: skip
        elif any(step.form is None or item.field not in step.form.fields for step in steps):
            faults.add("watch-field", f"{item.command!r} has no field {item.field!r}", name, item.line,
                       remedy="give its form the field, or name another")  # fmt: skip
        if known is not None and item.element not in known:
            faults.add("element-unknown", f"The catalogue does not have {item.element!r}", name, item.line)


def citing_watches(pack: Pack) -> Iterator[tuple[str, int, str, tuple[str, ...]]]:
    """Yield (file, line, what, citations) of every watch."""
    for item in pack.watches:
        yield "states.yaml", item.line, f"watch of {item.element!r}", item.cite
