"""Pack expressions: parsed by our own grammar, checked for names and types, then compiled by zen-engine.

zen alone accepts a misspelt name in silence and compares text with a number to ``false``; here every name must be
declared, every comparison must make sense, a choice is compared with its own choices only, and a value that may be
empty must be asked for emptiness first. Dates travel as day numbers, so that they can be compared and subtracted;
zen returns floats, so results are turned back into integers and must be whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import zen

from chengshu.kernel.problems import Problem
from chengshu.procedure.functions import OWN_FUNCTIONS, TAKE_EMPTY
from chengshu.procedure.syntax import HIDDEN, OWN, Node, names, parse
from chengshu.procedure.types import MAX_ITEMS, MAX_TEXT, Type
from chengshu.procedure.typing_rules import BOOLEAN, NULL, Known, TypeFault, fits, type_of

__all__ = ["BOOLEAN", "NULL", "Expression", "TypeFault", "compile_expression"]


class Values(Protocol):
    """What an expression reads from: dotted names to plain values; ``None`` for what is not there."""

    def get(self, name: str, /) -> Any:
        """Return the value of a dotted name."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of our own functions; empty when one of its values is."""

    name: str
    arguments: tuple[Expression, ...]

    def evaluate(self, scope: Values) -> Any:
        """Return the plain value."""
        values = [argument.evaluate(scope) for argument in self.arguments]
        if self.name not in TAKE_EMPTY and any(value is None for value in values):
            return None
        try:
            return OWN_FUNCTIONS[self.name](*values)
        except (ValueError, OverflowError) as error:
            raise Problem(
                "expression-failed",
                "An expression of the pack could not be computed",
                detail=f"{self.name}({', '.join(map(str, values))}): {error}",
                status=422,
            ) from error


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked, compiled expression: ``evaluate(scope)`` reads only ``reads`` from the scope."""

    source: str
    type: Type
    reads: tuple[str, ...] = ()
    constant: Any = None
    # How to compute it; neither is set for a constant. `direct`: a bare name is handed on without the engine.
    direct: str | None = None
    run: Callable[[dict[str, Any]], Any] | None = field(default=None, repr=False, compare=False)
    slots: tuple[tuple[str, str, bool], ...] = field(default=(), repr=False)
    # Calls of our own functions: alone, or handed to the engine as values (slot, call, whether it is a date).
    call: Call | None = None
    calls: tuple[tuple[str, Call, bool], ...] = field(default=(), repr=False)

    @property
    def lengths(self) -> tuple[str, ...]:
        """Return the parameters that stand where plus() and minus() take a length."""
        found: tuple[str, ...] = ()
        for call in (*([self.call] if self.call else []), *(call for _, call, _ in self.calls)):
            if call.name in ("plus", "minus"):
                found += call.arguments[1].reads
            for argument in call.arguments:
                found += argument.lengths
        return found

    def evaluate(self, scope: Values) -> Any:
        """Return the value; ``scope`` maps dotted names to plain values, a missing one counts as empty."""
        if self.direct is not None:
            return scope.get(self.direct)
        if self.run is None:
            return self.constant if self.call is None else self.call.evaluate(scope)
        context = {}
        for name, slot, is_date in self.slots:
            value = scope.get(name)
            if value is not None:
                if is_date:
                    value = dt.date.fromisoformat(value).toordinal()
                elif value.__class__ is str or value.__class__ is list:
                    _bound(name, value)
            context[slot] = value
        for slot, call, is_date in self.calls:
            value = call.evaluate(scope)
            context[slot] = (
                dt.date.fromisoformat(value).toordinal() if is_date and value is not None else value
            )
        try:
            result = self.run(context)
        except RuntimeError as error:
            raise Problem(
                "expression-failed",
                "An expression of the pack could not be computed",
                detail=f"{self.source}: {str(error).splitlines()[0][:160]}",
                status=500,
            ) from error
        return result is True if self.type.kind == "boolean" else self._plain(result)

    def _plain(self, result: Any) -> Any:
        kind = self.type.kind
        if result is None or kind not in ("integer", "money", "date"):
            return result
        if not isinstance(result, float | int) or result != int(result):
            raise Problem(
                "expression-not-whole",
                "An expression of the pack gave a number that is not whole",
                detail=f"{self.source} = {result}",
                status=500,
            )
        return dt.date.fromordinal(int(result)).isoformat() if kind == "date" else int(result)


def compile_expression(source: str, known: Mapping[str, Type], wanted: Type | None = None) -> Expression:
    """Check ``source`` against the declared names and compile it; raises ``SyntaxFault`` or ``TypeFault``."""
    tree = parse(source)
    type_ = type_of(tree, Known(known))
    if wanted is not None:
        fits(type_, wanted)
    reads = names(tree)
    if any(known[name].personal for name in reads if name in known):
        type_ = replace(type_, personal=True)
    return _built(source, tree, type_, known)


def _built(source: str, tree: Node, type_: Type, known: Mapping[str, Type]) -> Expression:
    """Compile a tree whose type is known."""
    reads = names(tree)
    if tree.kind == "literal":
        return Expression(source, type_, constant=tree.value)
    if tree.kind == "name":
        return Expression(source, type_, reads, direct=reads[0])
    if _is_own(tree):
        return Expression(source, type_, reads, call=_call(source, tree, known))
    calls: list[tuple[str, Call, bool]] = []
    rest = _lifted(source, tree, known, calls)
    slots = tuple((name, _slot(name), known[name].kind == "date") for name in names(rest) if name in known)
    run = zen.compile_expression(render(rest)).evaluate
    return Expression(source, type_, reads, run=run, slots=slots, calls=tuple(calls))


def _is_own(node: Node) -> bool:
    return node.kind == "call" and node.value in OWN


def _lifted(source: str, node: Node, known: Mapping[str, Type], calls: list[tuple[str, Call, bool]]) -> Node:
    """Return the tree with a name in the place of each call of our own; the calls are collected."""
    if _is_own(node):
        name = f"own.{len(calls)}"
        calls.append((_slot(name), _call(source, node, known), _kind(node, known).kind == "date"))
        return Node("name", name)
    if not node.parts:
        return node
    return replace(node, parts=tuple(_lifted(source, part, known, calls) for part in node.parts))


def _call(source: str, node: Node, known: Mapping[str, Type]) -> Call:
    arguments = tuple(_built(source, part, _kind(part, known), known) for part in node.parts)
    if hidden := HIDDEN.get(str(node.value)):
        arguments = (*arguments, Expression(source, Type("map"), (hidden,), direct=hidden))
    return Call(str(node.value), arguments)


def _kind(node: Node, known: Mapping[str, Type]) -> Type:
    """Return the type of a part. The whole was checked before: here every name counts as filled."""
    return type_of(node, Known(known, frozenset(known)))


def render(node: Node) -> str:
    """Return what zen reads: fully bracketed, names flattened, dates as day numbers."""
    parts = [render(part) for part in node.parts]
    if node.kind == "literal":
        return _literal(node.value)
    if node.kind == "name":
        return _slot(str(node.value))
    if node.kind == "list":
        return f"[{', '.join(parts)}]"
    if node.kind == "call":
        if node.value == "date":
            return str(dt.date.fromisoformat(str(node.parts[0].value)).toordinal())
        return f"{node.value}({', '.join(parts)})"
    if node.kind == "unary":
        return f"({node.value} {parts[0]})" if node.value == "not" else f"({node.value}{parts[0]})"
    if node.kind == "choice":
        return f"({parts[0]} ? {parts[1]} : {parts[2]})"
    return f"({parts[0]} {node.value} {parts[1]})"


def _literal(value: str | int | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f"'{value}'"


def _slot(name: str) -> str:
    # The prefix keeps names clear of zen's own words; doubled underscores keep `a.b_c` and `a_b.c` apart.
    return "v_" + name.replace("_", "__").replace(".", "_d_")


def _bound(name: str, value: str | list[Any]) -> None:
    limit = MAX_TEXT if isinstance(value, str) else MAX_ITEMS
    if len(value) > limit:
        raise Problem(
            "value-too-large", "A value is too large to compute with", detail=f"{name}: over {limit}"
        )
