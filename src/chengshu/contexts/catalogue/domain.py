"""Data elements, lists and the mapping file: read strictly, compared version by version; no Django here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chengshu.batch.declarations import Source, load_authority, load_source
from chengshu.kernel.canonical import digest
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Mapped, load_yaml
from chengshu.kernel.terms import parse_term

TYPES = (
    "text", "code", "date", "time", "integer", "decimal", "boolean", "choice", "geometry", "file", "list", "map",
)  # fmt: skip
CLASSES = ("person", "organisation", "premises", "facility", "place", "matter", "system")
PRIVACIES = ("none", "personal", "sensitive")
OPENNESS = ("none", "conditional", "unconditional")
MODES = ("active", "on-demand")
LISTS = ("government", "public-resource", "open", "sharing-duty")
_CODE = re.compile(r"^[a-z]+\.[a-z0-9_]+$")
_NEEDED = {"title", "type", "class", "grade", "privacy", "authority"}
_OPTIONAL = {"format", "standard", "note"}


@dataclass(frozen=True, slots=True)
class Declared:
    """One data element as ``elements.yaml`` declares it."""

    code: str
    title_zh: str
    title_en: str
    type: str
    klass: str
    grade: int
    privacy: str
    authority: str
    format: str = ""
    standard: str = ""
    note: str = ""
    sources: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """Return what a version of the element holds."""
        return {**asdict(self), "sources": list(self.sources)}


@dataclass(frozen=True, slots=True)
class Listing:
    """Where one source stands in the four lists."""

    public_resource: bool
    open: str
    open_why: Mapping[str, str]
    mode: str
    to: tuple[str, ...]
    every: str
    duty: Mapping[str, str]

    def body(self) -> dict[str, Any]:
        """Return what a version of the source holds of it."""
        return {**asdict(self), "to": list(self.to), "open_why": dict(self.open_why), "duty": dict(self.duty)}


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything that a district declares of its data."""

    elements: Mapping[str, Declared]
    sources: Mapping[str, Source]
    listings: Mapping[str, Listing]


def read_folder(sources: Path, catalogue: Path, common: Path) -> Folder:
    """Read elements, authority, lists and sources; what does not fit together is refused with file and line.

    A district without elements of its own takes those in ``common``.
    """
    authority = (
        load_authority(catalogue / "authority.yaml") if (catalogue / "authority.yaml").exists() else {}
    )
    own = catalogue / "elements.yaml"
    elements = read_elements(own if own.exists() else common / "elements.yaml", authority)
    declared = {}
    for path in sorted(sources.rglob("*.yaml")):
        if path.name != "authority.yaml":
            source = load_source(path)
            declared[source.name] = source
    for source in declared.values():
        for column in source.columns:
            if column.element not in elements:
                raise Problem(
                    "element-unknown",
                    f"The column {column.name} carries {column.element}, which is no data element",
                    where=Where(file=source.path, field=column.name),
                    remedy="declare it in catalogue/elements.yaml",
                )
    listings = read_listings(catalogue / "lists.yaml") if (catalogue / "lists.yaml").exists() else {}
    _check_open(declared, listings, elements, catalogue / "lists.yaml")
    return Folder(elements, declared, listings)


def read_elements(path: Path, authority: Mapping[str, tuple[str, ...]]) -> dict[str, Declared]:
    """Read ``elements.yaml``; ``authority`` gives the sources that are believed, in order."""
    top = _mapping(load_yaml(path), path, 1)
    found = {}
    for code, value in top.items():
        line = top.lines[code]
        if not _CODE.match(code):
            raise _wrong(path, line, f"'{code}' is no element's code", "write it as kind.name")
        found[code] = _element(code, _mapping(value, path, line), path, authority.get(code, ()))
    for code in authority:
        if code not in found:
            raise _wrong(path, None, f"authority.yaml speaks of {code}, which is not declared here")
    return found


def read_listings(path: Path) -> dict[str, Listing]:
    """Read ``lists.yaml``: source → its place in the four lists."""
    top = _mapping(load_yaml(path), path, 1)
    return {name: _listing(_mapping(value, path, top.lines[name]), path) for name, value in top.items()}


def changes(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what differs between two versions, field by field."""
    before = old or {}
    return [
        {"field": key, "old": before.get(key), "new": new.get(key)}
        for key in sorted({*before, *new})
        if before.get(key) != new.get(key)
    ]


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return a digest by which two versions are told apart."""
    return digest(body)


def source_body(source: Source, listing: Listing | None) -> dict[str, Any]:
    """Return what a version of a source holds."""
    return {
        "department": source.department,
        "title": {"zh": source.title.zh, "en": source.title.en},
        "kind": source.kind,
        "purpose": {"zh": source.purpose.zh, "en": source.purpose.en},
        "delivery": source.delivery,
        "key": list(source.key),
        "updated": source.updated,
        "datum": source.datum,
        "columns": [
            {"name": column.name, "element": column.element, "required": column.required}
            for column in source.columns
        ],
        "ignored": dict(source.ignore),
        "rules": [f"{rule.rule} {', '.join(rule.columns)}" for rule in source.rules],
        "listing": listing.body() if listing else None,
        **({"whole": list(source.whole)} if source.whole else {}),
    }


def _element(code: str, value: Mapped, path: Path, sources: tuple[str, ...]) -> Declared:
    _keys(value, _NEEDED, _NEEDED | _OPTIONAL, path)
    title = _both(value, "title", path)
    grade = value["grade"]
    if not isinstance(grade, int) or not 1 <= grade <= 4:
        raise _wrong(path, value.lines["grade"], f"{code}: a grade is 1 to 4")
    privacy = _choice(value, "privacy", PRIVACIES, path)
    if privacy != "none" and grade < 2:
        raise _wrong(path, value.lines["grade"], f"{code}: a personal element is of grade 2 at least")
    more = {key: str(value[key]) for key in _OPTIONAL if key in value}
    return Declared(
        code=code,
        title_zh=title["zh"],
        title_en=title["en"],
        type=_choice(value, "type", TYPES, path),
        klass=_choice(value, "class", CLASSES, path),
        grade=grade,
        privacy=privacy,
        authority=str(value["authority"]),
        sources=sources,
        **more,
    )


def _listing(value: Mapped, path: Path) -> Listing:
    _keys(value, {"public_resource", "open", "share"}, {"public_resource", "open", "share"}, path)
    if not isinstance(value["public_resource"], bool):
        raise _wrong(path, value.lines["public_resource"], "'public_resource' is true or false")
    opened = _mapping(value["open"], path, value.lines["open"])
    _keys(opened, {"how", "why"}, {"how", "why"}, path)
    share = _mapping(value["share"], path, value.lines["share"])
    _keys(share, {"mode", "to", "every", "duty"}, {"mode", "to", "every", "duty"}, path)
    if not isinstance(share["to"], list) or not share["to"]:
        raise _wrong(path, share.lines["to"], "'to' is a list of departments, or [all]")
    return Listing(
        public_resource=value["public_resource"],
        open=_choice(opened, "how", OPENNESS, path),
        open_why=_both(opened, "why", path),
        mode=_choice(share, "mode", MODES, path),
        to=tuple(str(name) for name in share["to"]),
        every=str(parse_term(str(share["every"]))),
        duty=_both(share, "duty", path),
    )


def _check_open(
    sources: Mapping[str, Source],
    listings: Mapping[str, Listing],
    elements: Mapping[str, Declared],
    path: Path,
) -> None:
    for name, listing in listings.items():
        if name not in sources:
            raise _wrong(path, None, f"lists.yaml speaks of {name}, which is no declared source")
        personal = [c.element for c in sources[name].columns if elements[c.element].privacy != "none"]
        if listing.open == "unconditional" and personal:
            raise _wrong(
                path, None, f"{name} cannot be opened unconditionally: {', '.join(personal)} is personal"
            )


def _mapping(value: Any, path: Path, line: int) -> Mapped:
    if not isinstance(value, Mapped):
        raise _wrong(path, line, "A mapping is expected here")
    return value


def _keys(value: Mapped, needed: set[str], allowed: set[str], path: Path) -> None:
    for key in value:
        if key not in allowed:
            raise _wrong(
                path, value.lines[key], f"The key '{key}' is not known here", ", ".join(sorted(allowed))
            )
    for key in sorted(needed - set(value)):
        raise _wrong(path, value.line, f"The key '{key}' is missing")


def _choice(value: Mapped, key: str, among: tuple[str, ...], path: Path) -> str:
    if value[key] not in among:
        raise _wrong(
            path, value.lines[key], f"'{key}' cannot be '{value[key]}'", f"one of: {', '.join(among)}"
        )
    return str(value[key])


def _both(value: Mapped, key: str, path: Path) -> dict[str, str]:
    tree = _mapping(value[key], path, value.lines[key])
    _keys(tree, {"zh", "en"}, {"zh", "en"}, path)
    return {"zh": str(tree["zh"]), "en": str(tree["en"])}


def _wrong(path: Path, line: int | None, title: str, remedy: str = "") -> Problem:
    return Problem("catalogue-declaration", title, where=Where(file=str(path), line=line), remedy=remedy)
