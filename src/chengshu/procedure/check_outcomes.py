"""Every end of a case says what it means to whoever watches over all cases: no program guesses it from its name.

Versions that are loaded already go on as they are: this is asked when a version enters.
"""

from __future__ import annotations

from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import OUTCOME_KINDS, Pack
from chengshu.procedure.sheets import Faults


def check_outcomes(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note every final state without a kind of outcome, and outcomes that two states give different kinds."""
    kinds: dict[str, str] = {}
    for state in pack.states.values():
        if not state.final:
            continue
        if not state.outcome_kind:
            faults.add(
                "outcome-kind", f"The final state {state.name!r} does not say what kind of outcome it is",
                files.name("states.yaml"), state.line,
                remedy=f"add outcome_kind: one of {', '.join(OUTCOME_KINDS)}",
            )  # fmt: skip
        elif kinds.setdefault(state.outcome, state.outcome_kind) != state.outcome_kind:
            faults.add(
                "outcome-kind", f"The outcome {state.outcome!r} has two kinds",
                files.name("states.yaml"), state.line, detail=f"{kinds[state.outcome]}, {state.outcome_kind}",
                remedy="give one of the states an outcome of its own",
            )  # fmt: skip
