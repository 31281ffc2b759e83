"""YAML 1.2 read strictly: line numbers kept; duplicate keys, aliases, tags and several documents refused."""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, DocumentStartEvent, NodeEvent, ScalarEvent

from chengshu.kernel.problems import Problem, Where

MAX_BYTES = 2_000_000
_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")


class Mapped(dict[str, Any]):
    """A mapping that knows the line of each of its keys (from 1) and its own."""

    def __init__(self, *, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        # Set where a mapping was merged from several files: the file that this part came from.
        self.file = ""


class Listed(list[Any]):
    """A list that knows the line of each of its items (from 1) and its own."""

    def __init__(self, *, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def load_yaml(path: Path) -> Any:
    """Read one file; returns ``Mapped``, ``Listed`` or a scalar; raises ``Problem`` with file and line."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Problem(
                "yaml-too-large",
                f"The file has {size} bytes; at most {MAX_BYTES} are read",
                where=Where(file=str(path)),
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise Problem("file-missing", "The file does not exist", where=Where(file=str(path))) from error
    except UnicodeDecodeError as error:
        raise Problem(
            "yaml-not-utf8",
            "The file is not UTF-8",
            where=Where(file=str(path)),
            remedy="save it as UTF-8",
        ) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str = "<text>") -> Any:
    """Read YAML from ``text``; ``name`` stands for the file in errors."""
    try:
        _refuse_aliases(text, name)
        yaml = YAML(typ="rt", pure=True)
        yaml.version = (1, 2)
        return _convert(yaml.load(io.StringIO(text)), 1, name)
    except DuplicateKeyError as error:
        raise _problem("yaml-duplicate-key", "A key stands twice in one mapping", error, name) from error
    except MarkedYAMLError as error:
        raise _problem(
            "yaml-syntax", error.problem or "The file is not well-formed YAML", error, name
        ) from error
    except YAMLError as error:
        raise Problem("yaml-syntax", str(error), where=Where(file=name)) from error


def _refuse_aliases(text: str, name: str) -> None:
    documents = 0
    for event in YAML(typ="rt", pure=True).parse(io.StringIO(text)):
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Problem(
                    "yaml-documents", "One file holds one document", where=Where(file=name, line=line)
                )
        anchored = isinstance(event, NodeEvent) and getattr(event, "anchor", None)
        if isinstance(event, AliasEvent) or anchored:
            raise Problem(
                "yaml-alias",
                "Anchors and aliases are not allowed",
                where=Where(file=name, line=line),
                remedy="write the value out where it is used",
            )
        if isinstance(event, ScalarEvent) and event.style is None:
            _refuse_impossible_date(event.value, Where(file=name, line=line))
        if getattr(event, "tag", None):
            raise Problem("yaml-tag", "Tags are not allowed", where=Where(file=name, line=line))


def _refuse_impossible_date(text: str, where: Where) -> None:
    if not _DATE.match(text):
        return
    try:
        dt.date.fromisoformat(text)
    except ValueError as error:
        raise Problem("yaml-date", f"{text} is no day of the calendar", where=where) from error


def _problem(code: str, title: str, error: MarkedYAMLError, name: str) -> Problem:
    mark = error.problem_mark
    return Problem(code, title, where=Where(file=name, line=mark.line + 1 if mark else None))


def _convert(node: Any, line: int, name: str) -> Any:
    if isinstance(node, CommentedMap):
        return _convert_map(node, name)
    if isinstance(node, CommentedSeq):
        listed = Listed(line=node.lc.line + 1)
        for index, item in enumerate(node):
            item_line = node.lc.item(index)[0] + 1
            listed.append(_convert(item, item_line, name))
            listed.lines.append(item_line)
        return listed
    return _scalar(node)


def _convert_map(node: CommentedMap, name: str) -> Mapped:
    mapped = Mapped(line=node.lc.line + 1)
    for key, value in node.items():
        line = node.lc.key(key)[0] + 1
        if not isinstance(key, str):
            raise Problem(
                "yaml-key",
                f"The key {key!r} is not text",
                where=Where(file=name, line=line),
                remedy="put it in quotes",
            )
        mapped[str(key)] = _convert(value, line, name)
        mapped.lines[str(key)] = line
    return mapped


def _scalar(node: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            # ruamel keeps how a scalar was written in subclasses; callers want the plain value.
            return kind(node)
    return node
