"""What a child case tells its parent at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chengshu.procedure.case import Case
from chengshu.procedure.model import Pack


def returned(pack: Pack, case: Case) -> dict[str, Any]:
    """Return the kept values that a pack hands over when one of its cases ends (`returns:`)."""
    return {name: case.kept.get(name) for name in pack.returns if case.kept.get(name) is not None}


def report_of_child(
    parent: Pack, state: str, command: str, said: Mapping[str, Any], words: str = ""
) -> dict[str, Any]:
    """Return the data of the parent's command: of what the child said, the fields that its form declares.

    ``said`` holds ``child``, ``child_outcome`` and what the child returned. A parent that asks for the outcome as plain
    text gets ``words``, the outcome as people read it, where they are given; one that declares a choice gets the code.
    """
    plan = parent.plans.get((state, command))
    fields = plan.form.fields if plan and plan.form else {}
    data = {name: value for name, value in said.items() if name in fields}
    field = fields.get("child_outcome")
    if field is not None and field.type.kind == "text" and words:
        data["child_outcome"] = words
    return data
