"""No machine refuses: a case that ends in a refusal was looked at by a person of the office (个人信息保护法第二十四条).

A state is a refusal when it says so (``outcome_kind: refused``, ``refusal: true``), when its outcome is one of the usual
words for it, or when a refusal that a person decides leads there as well. A step into such a state
must be by somebody of the office.
"""

from __future__ import annotations

from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import REFUSED, SYSTEM, Pack, State, Transition
from chengshu.procedure.sheets import Faults

# How outcomes and commands of refusal begin; what is not among them says `outcome_kind: refused`.
WORDS = (
    "refus", "reject", "den", "declin", "not_grant", "not_approv", "dismiss", "ineligib",
)  # fmt: skip
# Who is not of the office: the applicant, parties, the public, the machine.
OUTSIDE = ("opener", "public", "party", SYSTEM)


def check_refusals(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note every step by which nobody of the office, or a decision table alone, refuses an application."""
    if pack.opening.by == frozenset({SYSTEM}):
        return  # a task that the system gave to the office: nobody applied for anything
    refusals = refusal_states(pack)
    for step in pack.transitions:
        if step.target in refusals and not of_office(pack, step) and not own_withdrawal(pack, step):
            faults.add(
                "refusal-automatic", f"The step {step.id!r} refuses and nobody of the office decides it",
                files.name("states.yaml"), step.line,
                detail=f"{step.target} by {', '.join(sorted(step.by))}",
                remedy="let the table hand over to a state with a task, and a person decide there",
            )  # fmt: skip


def refusal_states(pack: Pack) -> set[str]:
    """Return the final states that are refusals."""
    found = set()
    for name, state in pack.states.items():
        if state.final and (_says_so(state) or _refuses(state.outcome) or _refuses(name)):
            found.add(name)
    for step in pack.transitions:
        target = pack.states.get(step.target or "")
        if target is not None and target.final and _refuses(step.command) and of_office(pack, step):
            found.add(target.name)
    return found


def _says_so(state: State) -> bool:
    return state.refusal or state.outcome_kind == REFUSED


def _refuses(word: str) -> bool:
    return word.replace("-", "_").startswith(WORDS)


def of_office(pack: Pack, step: Transition) -> bool:
    """Whether only people of the office take this step."""
    holders = [pack.roles[name].holder for name in step.by if name in pack.roles]
    return SYSTEM not in step.by and bool(holders) and not any(holder in OUTSIDE for holder in holders)


def own_withdrawal(pack: Pack, step: Transition) -> bool:
    """Whether it is the applicant's own word, without a table: taking an application back is no refusal."""
    holders = {pack.roles[name].holder for name in step.by if name in pack.roles}
    return SYSTEM not in step.by and holders <= {"opener", "party"} and not step.decides


def automatic(pack: Pack, step: Transition, role: str) -> bool:
    """Whether a step that was taken in a role is a decision of rules alone: tables decided, nobody of the office acted."""
    if not step.decides:
        return False
    holder = pack.roles[role].holder if role in pack.roles else SYSTEM
    return holder in OUTSIDE
