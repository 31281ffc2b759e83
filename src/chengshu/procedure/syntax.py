"""The grammar of pack expressions: text in, a small tree out; whatever is not in the grammar is refused.

The engine behind (zen-engine) knows ranges, closures, assignments, random numbers, clocks and regular expressions.
None of them has a production here, so no pack can reach them.

    choice     := or ('?' choice ':' choice)?
    or         := and ('or' and)*
    and        := not ('and' not)*
    not        := 'not' not | comparison
    comparison := default (('==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not' 'in') default)?
    default    := sum ('??' sum)?
    sum        := product (('+' | '-') product)*
    product    := unary (('*' | '/') unary)*
    unary      := '-' unary | primary
    primary    := integer | text | 'true' | 'false' | 'null' | name | function '(' arguments ')'
                  | '(' choice ')' | '[' arguments ']'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_SOURCE = 500
MAX_NODES = 120
MAX_DEPTH = 24
MAX_INTEGER = 2**53 - 1
# Computed by zen, and by our own exact code (functions.py), which zen never sees.
ENGINE = frozenset({"abs", "ceil", "contains", "date", "endsWith", "floor", "len", "round", "startsWith"})
OWN = frozenset(
    {
        "add_row", "birth_by_id", "days_between", "ended_as", "full_years", "greatest", "least", "minus",
        "plus", "ranked", "sex_by_id",
        "sum", "top", "workdays_after",
    }
)  # fmt: skip
FUNCTIONS = ENGINE | OWN
# What some functions read besides their values; no pack can write these names: outcome by child case, and the calendar.
CHILD_OUTCOMES, CALENDAR = "children.outcomes", "calendar.loaded"
HIDDEN = {"ended_as": CHILD_OUTCOMES, "workdays_after": CALENDAR}
KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in"})

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+)(?![\w.])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<text>'[^'\"`\\$\x00-\x1f]*')"
    r"|(?P<mark>==|!=|<=|>=|\?\?|[<>+\-*/?:(),\[\]]))"
)


class SyntaxFault(Exception):
    """What is wrong with an expression, in one sentence."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node: ``kind`` is literal, name, call, list, unary, binary or choice."""

    kind: str
    value: str | int | bool | None
    parts: tuple[Node, ...] = ()


def parse(source: str) -> Node:
    """Return the tree of ``source``; raises ``SyntaxFault`` for everything outside the grammar."""
    if len(source) > MAX_SOURCE:
        raise SyntaxFault(f"it has {len(source)} characters; at most {MAX_SOURCE} are allowed")
    reader = _Reader(_tokens(source))
    node = reader.choice()
    if reader.peek() is not None:
        raise SyntaxFault(f"{reader.peek()!r} is not expected here")
    return node


def names(node: Node) -> tuple[str, ...]:
    """Return every name a tree reads, each once, in order."""
    found: dict[str, None] = {}
    stack = [node]
    while stack:
        current = stack.pop()
        if current.kind == "name":
            found[str(current.value)] = None
        elif current.kind == "call" and current.value in HIDDEN:
            found[HIDDEN[str(current.value)]] = None
        stack.extend(reversed(current.parts))
    return tuple(found)


def _tokens(source: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    end = len(source.rstrip())
    while at < end:
        match = _TOKEN.match(source, at)
        if match is None:
            raise SyntaxFault(f"{source[at:].strip()[:12]!r} is not part of the expression language")
        kind = str(match.lastgroup)
        tokens.append((kind, match.group(kind)))
        at = match.end()
    return tokens


class _Reader:
    """A recursive descent over the tokens; counts nodes and depth so that no input grows without bound."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens, self.at, self.nodes, self.depth = tokens, 0, 0, 0

    def peek(self) -> str | None:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def take(self, *wanted: str) -> str | None:
        word = self.peek()
        if word in wanted and self.tokens[self.at][0] != "text":
            self.at += 1
            return word
        return None

    def need(self, wanted: str) -> None:
        if self.take(wanted) is None:
            raise SyntaxFault(f"{wanted!r} is missing before {self.peek() or 'the end'!r}")

    def node(self, kind: str, value: str | int | bool | None, *parts: Node) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise SyntaxFault(f"it has more than {MAX_NODES} parts")
        return Node(kind, value, parts)

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxFault(f"it is nested deeper than {MAX_DEPTH}")
        node = self.disjunction()
        if self.take("?"):
            yes = self.choice()
            self.need(":")
            node = self.node("choice", "?", node, yes, self.choice())
        self.depth -= 1
        return node

    def disjunction(self) -> Node:
        node = self.conjunction()
        while self.take("or"):
            node = self.node("binary", "or", node, self.conjunction())
        return node

    def conjunction(self) -> Node:
        node = self.negation()
        while self.take("and"):
            node = self.node("binary", "and", node, self.negation())
        return node

    def negation(self) -> Node:
        if self.take("not"):
            return self.node("unary", "not", self._deeper(self.negation_operand))
        return self.comparison()

    def negation_operand(self) -> Node:
        return self.negation()

    def _deeper(self, production: object) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SyntaxFault(f"it is nested deeper than {MAX_DEPTH}")
        node: Node = production()  # type: ignore[operator]
        self.depth -= 1
        return node

    def comparison(self) -> Node:
        node = self.default()
        operator = self.take("==", "!=", "<", "<=", ">", ">=", "in", "not")
        if operator == "not":
            self.need("in")
            operator = "not in"
        if operator:
            node = self.node("binary", operator, node, self.default())
            if self.peek() in COMPARISONS:
                raise SyntaxFault("comparisons do not chain: join them with 'and'")
        return node

    def default(self) -> Node:
        node = self.sum()
        if self.take("??"):
            node = self.node("binary", "??", node, self.sum())
        return node

    def sum(self) -> Node:
        node = self.product()
        while operator := self.take("+", "-"):
            node = self.node("binary", operator, node, self.product())
        return node

    def product(self) -> Node:
        node = self.unary()
        while operator := self.take("*", "/"):
            node = self.node("binary", operator, node, self.unary())
        return node

    def unary(self) -> Node:
        if self.take("-"):
            return self.node("unary", "-", self._deeper(self.unary))
        return self.primary()

    def primary(self) -> Node:
        if self.at >= len(self.tokens):
            raise SyntaxFault("it ends too early")
        kind, word = self.tokens[self.at]
        if word == "(" and kind == "mark":
            self.at += 1
            node = self.choice()
            self.need(")")
            return node
        if word == "[" and kind == "mark":
            self.at += 1
            return self.node("list", None, *self.arguments("]"))
        if kind == "mark":
            raise SyntaxFault(f"{word!r} is not expected here")
        self.at += 1
        return self.atom(kind, word)

    def atom(self, kind: str, word: str) -> Node:
        if kind == "number":
            if int(word) > MAX_INTEGER:
                raise SyntaxFault(f"{word} is too large: write long numbers as text")
            return self.node("literal", int(word))
        if kind == "text":
            return self.node("literal", word[1:-1])
        if word in ("true", "false", "null"):
            return self.node("literal", {"true": True, "false": False, "null": None}[word])
        if self.take("("):
            if word not in FUNCTIONS:
                raise SyntaxFault(
                    f"the function {word!r} is not allowed; there are {', '.join(sorted(FUNCTIONS))}"
                )
            return self.node("call", word, *self.arguments(")"))
        if word in KEYWORDS:
            raise SyntaxFault(f"{word!r} is not expected here")
        return self.node("name", word)

    def arguments(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.take(end):
            return ()
        found.append(self.choice())
        while self.take(","):
            found.append(self.choice())
        self.need(end)
        return tuple(found)
