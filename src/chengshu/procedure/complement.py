"""The complement of a pack: every command, in every state, by every role that the pack does not allow, is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from chengshu.kernel.problems import Problem
from chengshu.procedure.case import Case
from chengshu.procedure.machine import Command, advance, begin
from chengshu.procedure.model import SYSTEM, Pack
from chengshu.procedure.ports import Actor

FORBIDDEN = ("command-not-now", "command-not-yours")


@dataclass(frozen=True, slots=True)
class Complement:
    """How many steps must be refused, and those that were not."""

    refused: int
    let_through: tuple[str, ...]


def check_complement(pack: Pack) -> Complement:
    """Try everything that the steps, as they are written, do not allow."""
    now = dt.datetime.combine(pack.valid_from, dt.time(4), dt.UTC)
    refused, through = 0, []
    for role in (*pack.roles, SYSTEM):
        actor = Actor("0", "anyone", frozenset({role}))
        for state in pack.states:
            case = Case("COMPLEMENT", pack.id, state=state, version=1, kept=pack.initial)
            for command in (*pack.commands(), "no-such-command"):
                if _allowed(pack, state, command, role):
                    continue
                refused += 1
                code = _code(pack, case, Command(command, actor), now)
                wanted = FORBIDDEN if command in pack.commands() else ("command-unknown",)
                if code not in wanted:
                    through.append(f"{command} in {state} by {role}: {code or 'done'}")
        if role not in pack.opening.by:
            refused += 1
            try:
                begin(pack, "COMPLEMENT", {}, actor, now)
                through.append(f"opening by {role}")
            except Problem as problem:
                if problem.code != "opening-not-yours":
                    through.append(f"opening by {role}: {problem.code}")
    return Complement(refused, tuple(through))


def _allowed(pack: Pack, state: str, command: str, role: str) -> bool:
    return any(
        step.command == command and state in step.sources and role in step.by for step in pack.transitions
    )


def _code(pack: Pack, case: Case, command: Command, now: dt.datetime) -> str:
    try:
        advance(pack, case, command, {}, now)
    except Problem as problem:
        return problem.code
    return ""
