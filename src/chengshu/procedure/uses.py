"""``uses.yaml``: what data of people a pack takes from others, for what, and the law that makes consent needless.

Every fact that a pack fills from personal data is a use. One that stands here with ``basis: law`` cites the articles that
oblige the department to look it up itself (Personal Information Protection Law, art. 13, item 3); every other one is asked
for, and stays empty without the person's word (art. 13, item 1).
"""

from __future__ import annotations

from dataclasses import dataclass

from chengshu.kernel.strict_yaml import Mapped
from chengshu.procedure.expressions import Expression
from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import DeclaredUse, Field, Pack
from chengshu.procedure.sheets import Faults, Sheet, parsed

PATH = "uses.yaml"
LAW, CONSENT = "law", "consent"
# Field sources that bring data of whoever the case is about, which some department holds.
PERSONAL_SOURCES = ("own_record", "certificate", "earlier_case", "listed")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Taken:
    """One field that is filled from personal data: which element, through which source."""

    field: str
    form: str
    element: str
    source: str
    # The type of certificate, for that source.
    kind: str = ""


def taken(pack: Pack) -> list[Taken]:
    """Return every field that the pack fills from personal data, the opening's first."""
    found = []
    for form, fields in pack.fields():
        for item in fields.values():
            if item.prefill is not None and _personal(item):
                element = constant(item, "element") or constant(item, "list") or item.element
                kind = constant(item, "type")
                found.append(Taken(item.name, form, element, item.prefill.source, kind))
    return found


def _personal(item: Field) -> bool:
    """Whether a field is filled from data of whoever applies: a list that is asked of a place holds nobody's."""
    prefill = item.prefill
    if prefill is None or prefill.source not in PERSONAL_SOURCES:
        return False
    return prefill.source != "listed" or "account" in prefill.params


def constant(item: Field, param: str) -> str:
    """Return a parameter of a field's source that is a written text; empty where it is computed or absent."""
    value = item.prefill.params.get(param) if item.prefill is not None else None
    fixed = value.constant if isinstance(value, Expression) and not value.reads else None
    return fixed if isinstance(fixed, str) else ""


def read_uses(files: PackFiles, faults: Faults | None = None) -> tuple[DeclaredUse, ...]:
    """Read ``uses.yaml``; a pack without one asks consent for everything."""
    text = files.texts.get(PATH)
    if text is None:
        return ()
    name = files.name(PATH)
    sheet = Sheet(faults if faults is not None else Faults(), name, parsed(text, name))
    found = []
    for item in sheet.listed("uses", required=True):
        found.append(
            DeclaredUse(
                elements=item.words("elements", required=True),
                basis=item.word("basis", (LAW, CONSENT)),
                purpose=_both(item, "purpose"),
                cite=item.words("cite"),
                line=item.line,
            )
        )
        item.close()
    sheet.close()
    return tuple(found)


def check_uses(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note what does not fit: an element that nothing takes, one said twice, a law that is not cited."""
    known = {item.element for item in taken(pack)}
    seen: set[str] = set()
    name = files.name(PATH)
    for use in read_uses(files, faults):
        for element in use.elements:
            if element not in known:
                faults.add("use-unknown", f"No field is filled from {element!r}", name, use.line,
                           remedy=f"the pack fills: {', '.join(sorted(known)) or 'nothing'}")  # fmt: skip
            if element in seen:
                faults.add("use-twice", f"{element!r} stands twice", name, use.line)
            seen.add(element)
        if use.basis == LAW and not use.cite:
            faults.add("ground-missing", "A use without consent cites no article", name, use.line,
                       remedy="cite: the articles that oblige to look it up, or ask for consent")  # fmt: skip
        for key in use.cite:
            article = pack.articles.get(key)
            if article is None or article.status != "executed":
                faults.add("article-unknown", f"The use cites {key}, which the pack does not execute", name, use.line,
                           remedy="list the article in articles.yaml as executed")  # fmt: skip


def _both(item: Sheet, key: str) -> dict[str, str]:
    inner = item.sheet(key, required=True) or Sheet(Faults(), item.file, Mapped(line=item.line))
    found = {language: inner.text(language) for language in LANGUAGES}
    inner.close()
    return found
