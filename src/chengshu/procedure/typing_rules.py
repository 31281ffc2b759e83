"""Which expressions make sense: the type of each node, or one sentence on why it has none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from chengshu.procedure.functions import parse_length
from chengshu.procedure.syntax import OWN, Node
from chengshu.procedure.types import Type

NULL = Type("null", optional=True)
INTEGER, BOOLEAN, TEXT, DATE, FRACTION = (
    Type(kind) for kind in ("integer", "boolean", "text", "date", "fraction")
)
_LISTS = ("texts", "files", "accounts")
_NUMBERS = ("integer", "money")
_ORDERED = ("integer", "money", "date")
_WORDS = ("text", "choice")


class TypeFault(Exception):
    """Why an expression makes no sense, in one sentence."""


class Known:
    """The declared names, and which of them are known not to be empty at this point of an expression."""

    def __init__(self, types: Mapping[str, Type], filled: frozenset[str] = frozenset()) -> None:
        self.types, self.filled = types, filled

    def type(self, name: str) -> Type:
        """Return the type of a declared name, without ``optional`` where it was asked for emptiness before."""
        if name not in self.types:
            near = get_close_matches(name, self.types, n=1)
            hint = (
                f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(self.types))}"
            )
            raise TypeFault(f"the name {name!r} is not declared{hint}")
        type_ = self.types[name]
        return replace(type_, optional=False) if name in self.filled else type_

    def with_filled(self, more: frozenset[str]) -> Known:
        """Return the same names with ``more`` of them known not to be empty."""
        return Known(self.types, self.filled | more)


def fits(found: Type, wanted: Type) -> None:
    """Raise ``TypeFault`` unless a value of type ``found`` may stand where ``wanted`` is required."""
    if found.kind == "null":
        if not wanted.optional:
            raise TypeFault(f"it is empty, but {wanted.kind} is needed")
        return
    if found.optional and not wanted.optional:
        raise TypeFault(f"it may be empty, but {wanted.kind} is needed: give a default with '??'")
    if wanted.kind == "choice" and found.kind == "choice":
        foreign = sorted(set(found.choices) - set(wanted.choices))
        if foreign:
            raise TypeFault(f"{', '.join(foreign)} is none of the choices {', '.join(wanted.choices)}")
        return
    if found.kind == wanted.kind == "rows" and dict(found.columns).keys() != dict(wanted.columns).keys():
        raise TypeFault("the rows have other columns")
    same = found.kind == wanted.kind or (wanted.kind == "text" and found.kind == "choice")
    if wanted.kind == "map" or same:
        return
    raise TypeFault(f"it gives {found.kind}, but {wanted.kind} is needed")


def type_of(node: Node, known: Known) -> Type:
    """Return the type of ``node`` or raise ``TypeFault``."""
    if node.kind == "literal":
        return _literal(node.value)
    if node.kind == "name":
        return known.type(str(node.value))
    if node.kind == "list":
        return _list(node, known)
    if node.kind == "call":
        return _call(node, known)
    if node.kind == "unary":
        return _unary(node, known)
    if node.kind == "choice":
        return _branch(node, known)
    return _binary(node, known)


def _literal(value: str | int | bool | None) -> Type:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    # A text literal is a choice of one: it fits `text`, and a choice that allows it.
    return INTEGER if isinstance(value, int) else Type("choice", (value,))


def _list(node: Node, known: Known) -> Type:
    types = [type_of(part, known) for part in node.parts]
    if not types or any(part.kind not in _WORDS or part.optional for part in types):
        raise TypeFault("a list holds texts only, at least one")
    if all(part.kind == "choice" for part in types):
        return Type("texts", tuple(word for part in types for word in part.choices))
    return Type("texts")


def _call(node: Node, known: Known) -> Type:
    name, types = str(node.value), [type_of(part, known) for part in node.parts]
    if name == "date":
        literal = node.parts[0].value if len(node.parts) == 1 else None
        try:
            dt.date.fromisoformat(str(literal))
        except ValueError as error:
            raise TypeFault("date() takes one written day, such as date('2026-11-21')") from error
        return DATE
    if name in ("floor", "ceil", "round"):
        return _need(name, types, (("integer", "money", "fraction"),), INTEGER)
    if name == "abs":
        return _need(name, types, (_NUMBERS,), INTEGER)
    if name == "len":
        # zen counts the bytes of a text, not its characters: lengths of text are left to the form.
        return _need(name, types, ((*_LISTS, "rows"),), INTEGER)
    if name == "contains":
        found = _need(name, types, (("text", "choice", "texts", "accounts"), _WORDS), BOOLEAN)
        if types[0].kind == "texts" and types[0].choices and types[1].kind == "choice":
            _among(types[1].choices, types[0].choices)
        return found
    if name in OWN:
        return _own(name, node, types)
    return _need(name, types, (_WORDS, _WORDS), BOOLEAN)


def _need(name: str, types: list[Type], wanted: tuple[tuple[str, ...], ...], result: Type) -> Type:
    if len(types) != len(wanted):
        raise TypeFault(f"{name}() takes {len(wanted)} values, not {len(types)}")
    for found, kinds in zip(types, wanted, strict=True):
        if found.kind not in kinds or found.optional:
            raise TypeFault(f"{name}() takes {' or '.join(kinds)}, not {found}")
    return result


def _own(name: str, node: Node, types: list[Type]) -> Type:
    if name in ("plus", "minus"):
        _need(name, types, (("date",), _WORDS), DATE)
        _length(name, node.parts[1])
        return DATE
    if name in ("full_years", "days_between"):
        return _need(name, types, (("date",), ("date",)), INTEGER)
    if name == "birth_by_id":
        return _need(name, types, (("text",),), Type("date", optional=True))
    if name == "sex_by_id":
        return _need(name, types, (("text",),), Type("choice", ("male", "female", "unknown")))
    if name == "ended_as":
        _need(name, types, (("choice",),), INTEGER)
        _written(name, node.parts[0], "an outcome of the child cases, such as 'upheld'")
        return INTEGER
    if name == "workdays_after":
        return _need(name, types, (("date",), ("integer",)), DATE)
    if name in ("sum", "ranked", "top", "add_row"):
        return _of_rows(name, node, types)
    if len(types) < 2:
        raise TypeFault(f"{name}() takes two values or more, not {len(types)}")
    joined = types[0]
    for found in types:
        _must(found, _ORDERED, f"{name}()")
        _comparable(joined, found)
        joined = found if found.kind == "money" else joined
    return Type(joined.kind)


def _length(name: str, node: Node) -> None:
    if node.kind == "name" and str(node.value).startswith("parameters."):
        return
    _written(name, node, "a length such as '3 years', or a parameter that is one")
    try:
        parse_length(str(node.value))
    except ValueError as error:
        raise TypeFault(f"{name}(): {error}") from error


def _written(name: str, node: Node, what: str) -> None:
    if node.kind != "literal" or not isinstance(node.value, str):
        raise TypeFault(f"{name}() takes {what}")


def _of_rows(name: str, node: Node, types: list[Type]) -> Type:
    if not types or types[0].kind != "rows":
        raise TypeFault(f"{name}() takes rows first, not {types[0] if types else 'nothing'}")
    # Rows that nobody filled in count as none.
    rows = replace(types[0], optional=False)
    if name == "add_row":
        return _added(node, types, rows)
    _need(name, [rows, *types[1:]], (("rows",), ("choice",), ("integer",))[: 3 if name == "top" else 2], rows)
    _written(name, node.parts[1], "rows and the name of a column, such as sum(data.items, 'amount')")
    column = rows.column(str(node.parts[1].value))
    if column is None or column.kind not in _NUMBERS:
        known = ", ".join(key for key, type_ in rows.columns if type_.kind in _NUMBERS)
        raise TypeFault(f"{name}() takes a column of numbers; there are {known or 'none'}")
    return Type(column.kind) if name == "sum" else rows


def _added(node: Node, types: list[Type], rows: Type) -> Type:
    """Check add_row(rows, 'column', value, ...): the values fit, and no column that is required is missing."""
    given = {}
    for part, found in zip(node.parts[1::2], types[2::2], strict=False):
        _written("add_row", part, "rows and then 'column', value, ...")
        name = str(part.value)
        column = rows.column(name)
        if column is None or name in given:
            raise TypeFault(f"{name!r} is {'named twice' if name in given else 'no column of the rows'}")
        fits(found, column)
        given[name] = found
    missing = [name for name, column in rows.columns if name not in given and not column.optional]
    if missing or len(types) % 2 == 0:
        raise TypeFault(f"add_row() lacks {', '.join(missing) or 'a value'}")
    return replace(rows, personal=rows.personal)


def _unary(node: Node, known: Known) -> Type:
    inner = type_of(node.parts[0], known)
    if node.value == "not":
        _must(inner, ("boolean",), "not")
        return BOOLEAN
    _must(inner, _NUMBERS, "-")
    return inner


def _must(found: Type, kinds: tuple[str, ...], operator: str) -> None:
    if found.kind not in kinds:
        raise TypeFault(f"'{operator}' takes {' or '.join(kinds)}, not {found.kind}")
    if found.optional:
        raise TypeFault(f"'{operator}' takes a value that may be empty: test '!= null' first or use '??'")


def _branch(node: Node, known: Known) -> Type:
    condition, yes, no = node.parts
    _must(type_of(condition, known), ("boolean",), "?")
    left = type_of(yes, known.with_filled(_filled(condition, True)))
    right = type_of(no, known.with_filled(_filled(condition, False)))
    return _join(left, right)


def _join(left: Type, right: Type) -> Type:
    if left.kind == "null":
        return replace(right, optional=True)
    if right.kind == "null":
        return replace(left, optional=True)
    optional = left.optional or right.optional
    if left.kind == right.kind == "choice":
        return Type("choice", tuple(dict.fromkeys(left.choices + right.choices)), optional)
    if left.kind in _WORDS and right.kind in _WORDS:
        return Type("text", (), optional)
    if left.kind != right.kind:
        raise TypeFault(f"the two outcomes are {left.kind} and {right.kind}")
    return replace(left, optional=optional)


def _binary(node: Node, known: Known) -> Type:
    operator, (first, second) = str(node.value), node.parts
    left = type_of(first, known)
    if operator in ("and", "or"):
        _must(left, ("boolean",), operator)
        _must(type_of(second, known.with_filled(_filled(first, operator == "and"))), ("boolean",), operator)
        return BOOLEAN
    right = type_of(second, known)
    if operator == "??":
        joined = _join(replace(left, optional=False), right)
        return replace(joined, optional=right.optional)
    if operator in ("==", "!="):
        _comparable(left, right)
        return BOOLEAN
    if operator in ("in", "not in"):
        return _membership(left, right)
    if operator == "+" and left.kind in _WORDS and right.kind in _WORDS:
        for side in (left, right):
            _must(side, _WORDS, operator)
        return TEXT
    for side in (left, right):
        _must(side, _ORDERED, operator)
    if operator in ("<", "<=", ">", ">="):
        _comparable(left, right)
        return BOOLEAN
    return _arithmetic(operator, left, right, second)


def _comparable(left: Type, right: Type) -> None:
    if "null" in (left.kind, right.kind):
        return
    if left.kind == right.kind == "choice" and not set(left.choices) & set(right.choices):
        raise TypeFault(f"{', '.join(right.choices)!r} is none of the choices {', '.join(left.choices)}")
    numbers = {left.kind, right.kind} == {"integer", "money"}
    words = left.kind in _WORDS and right.kind in _WORDS
    if left.kind in (*_LISTS, "map", "rows") or not (left.kind == right.kind or words or numbers):
        raise TypeFault(f"{left.kind} and {right.kind} cannot be compared")


def _membership(left: Type, right: Type) -> Type:
    if right.kind not in ("texts", "accounts") or left.kind not in _WORDS or right.optional:
        raise TypeFault(f"'in' asks whether a text is in a list of texts, not {left.kind} in {right}")
    if left.kind == "choice" and right.choices:
        # A choice asked against a written list, or a written word against a list of choices.
        words = (right.choices, left.choices) if len(left.choices) > 1 else (left.choices, right.choices)
        _among(*words)
    return BOOLEAN


def _among(words: tuple[str, ...], choices: tuple[str, ...]) -> None:
    foreign = sorted(set(words) - set(choices))
    if foreign:
        raise TypeFault(f"{', '.join(foreign)} is none of the choices {', '.join(choices)}")


def _arithmetic(operator: str, left: Type, right: Type, divisor: Node) -> Type:
    kinds = {left.kind, right.kind}
    if operator == "/":
        # A quotient need not be whole and zen divides by zero in silence.
        if divisor.kind != "literal" or not divisor.value or "date" in kinds:
            raise TypeFault("'/' divides by a written number other than 0, inside floor(), ceil() or round()")
        return FRACTION
    if "date" in kinds:
        if operator == "-" and kinds == {"date"}:
            return INTEGER
        if operator in "+-" and left.kind == "date" and right.kind == "integer":
            return DATE
        raise TypeFault(f"'{operator}' does not join {left.kind} and {right.kind}")
    if operator == "*" and kinds == {"money"}:
        raise TypeFault("money times money makes no sense")
    return Type("money") if "money" in kinds else INTEGER


def narrowed(known: Mapping[str, Type], condition: Node) -> dict[str, Type]:
    """Return the names as they stand once ``condition`` holds: what it asked for emptiness is filled."""
    filled = _filled(condition, True)
    return {
        name: replace(type_, optional=False) if name in filled else type_ for name, type_ in known.items()
    }


def _filled(node: Node, holds: bool) -> frozenset[str]:
    """Return the names that cannot be empty when ``node`` is true (``holds``) or false."""
    if node.kind == "binary" and node.value == ("and" if holds else "or"):
        return _filled(node.parts[0], holds) | _filled(node.parts[1], holds)
    if node.kind == "binary" and node.value == ("!=" if holds else "=="):
        left, right = node.parts
        if left.kind == "name" and right.kind == "literal" and right.value is None:
            return frozenset({str(left.value)})
    if node.kind == "unary" and node.value == "not":
        return _filled(node.parts[0], not holds)
    return frozenset()
