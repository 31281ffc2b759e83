"""Wires the two seams: which context answers which effect and which field source."""

from __future__ import annotations

from chengshu.contexts.cases import api as cases


def wire() -> None:
    """Register every handler once; called when Django has loaded all apps."""
    # open_case, notify; the field source case_fact.
    cases.wire_effects()
