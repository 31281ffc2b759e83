"""The official forms that a pack covers: which of their fields it asks, and which it finds out by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import Pack
from chengshu.procedure.parts import Part
from chengshu.procedure.sheets import Faults, Sheet, parsed

FILE = "official_forms.yaml"
# How the pack comes by a field: people are asked, a record or certificate holds it, it follows from others.
HOW = ("asked", "record", "certificate", "derived")


@dataclass(frozen=True, slots=True)
class OfficialField:
    """One field of an official form. ``fact`` is a fact of the pack, or part.fact of one of its parts."""

    name: str
    fact: str
    element: str
    how: str
    line: int


@dataclass(frozen=True, slots=True)
class OfficialForm:
    """An official form as its office prints it."""

    id: str
    title: str
    issuer: str
    source: str
    fields: tuple[OfficialField, ...]


def official_forms(files: PackFiles, faults: Faults | None = None) -> tuple[OfficialForm, ...]:
    """Return the official forms that a pack lists; what is wrong is added to ``faults``."""
    text = files.texts.get(FILE)
    if text is None:
        return ()
    name = files.name(FILE)
    sheet = Sheet(faults if faults is not None else Faults(), name, parsed(text, name))
    forms = tuple(_form(item) for item in sheet.listed("forms", required=True))
    sheet.close()
    return forms


def _form(item: Sheet) -> OfficialForm:
    form = OfficialForm(
        item.name("id"),
        item.text("title"),
        item.text("issuer"),
        item.text("source", ""),
        tuple(_field(field) for field in item.listed("fields", required=True)),
    )
    item.close()
    return form


def _field(item: Sheet) -> OfficialField:
    field = OfficialField(
        item.text("name"), item.text("fact", ""), item.text("element"), item.word("how", HOW), item.line
    )
    item.close()
    return field


def check_official(
    pack: Pack,
    files: PackFiles,
    faults: Faults,
    elements: frozenset[str] | None,
    children: Mapping[str, Pack],
) -> None:
    """Hold that each fact and element that an official form names exists. ``children``: pack of each part, by its id."""
    for form in official_forms(files, faults):
        for field in form.fields:
            _fact(pack, files, faults, field, children)
            if elements is not None and field.element not in elements:
                faults.add(
                    "element-unknown", f"{field.name} maps to {field.element!r}, which the catalogue does not have",
                    files.name(FILE), field.line,
                )  # fmt: skip
            if field.how == "asked" and not field.fact:
                faults.add(
                    "official-fact", f"{field.name} is asked, but no fact is named", files.name(FILE), field.line,
                    remedy="add fact:",
                )  # fmt: skip


def _fact(
    pack: Pack, files: PackFiles, faults: Faults, field: OfficialField, children: Mapping[str, Pack]
) -> None:
    part, _, name = field.fact.rpartition(".")
    if not field.fact or (not part and name in pack.facts):
        return
    known = pack.parts.parts.get(part) if pack.parts is not None else None
    if isinstance(known, Part):
        child = children.get(part)
        # A child that is missing is a fault of its own.
        if child is None or name in child.facts:
            return
    faults.add(
        "official-fact", f"{field.name} names the fact {field.fact!r}, which there is not", files.name(FILE), field.line,
        remedy="name a fact of this pack, or part.fact of one of its parts",
    )  # fmt: skip
