"""``offer.yaml``: whom a service should find by itself, by which data, on what ground (服务找人).

The rule is an expression over the golden record (``record.*``) or over the claims of a certificate in force (``claims.*``)
and, where it must be held against them, who holds it (``holder.*``).
It says who is entitled, never who is not: a person may always apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chengshu.kernel.strict_yaml import Mapped
from chengshu.procedure.expressions import Expression
from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import Pack
from chengshu.procedure.sheets import Faults, Sheet, parsed
from chengshu.procedure.types import Type

PATH = "offer.yaml"
PERSON, CERTIFICATE = "person", "certificate"
LANGUAGES = ("zh", "en")
CLAIM_KINDS = ("text", "date", "integer", "boolean")
# The elements of a person's golden record that a rule may read, and what they are.
RECORD = {"birth_date": Type("date", optional=True), "sex": Type("text", optional=True)}
# The elements of whoever holds the certificate that a rule may hold against its claims: is it one of the parents it names?
HOLDER = {"resident_id": Type("text", optional=True)}


@dataclass(frozen=True, slots=True)
class OfferRule:
    """Whom a pack is offered to."""

    about: str
    type: str
    claims: Mapping[str, Type]
    when: Expression
    title: Mapping[str, str]
    text: Mapping[str, str]
    elements: tuple[str, ...]
    cite: tuple[str, ...]
    line: int
    # The register and key that a running or granted application holds: who has it is offered nothing.
    register: str = ""
    key: Expression | None = None

    def of_holder(self) -> tuple[str, ...]:
        """Return what the rule reads of the certificate's holder: nothing else of them is looked at."""
        reads = {*self.when.reads, *(self.key.reads if self.key is not None else ())}
        return tuple(name for name in HOLDER if f"holder.{name}" in reads)

    def scope(self, pack: Pack, values: Mapping[str, Any], today: Any) -> dict[str, Any]:
        """Return the names that the rule reads, for one record or certificate."""
        prefix = "record" if self.about == PERSON else "claims"
        names = RECORD if self.about == PERSON else self.claims
        scope: dict[str, Any] = {f"{prefix}.{name}": values.get(name) for name in names}
        if self.about == CERTIFICATE:
            scope.update({f"holder.{name}": values.get(f"holder.{name}") for name in HOLDER})
        scope["today"] = today.isoformat()
        scope.update({f"parameters.{name}": p.on(today).value for name, p in pack.parameters.items()})
        return scope


def read_offer(pack: Pack, files: PackFiles, faults: Faults | None = None) -> OfferRule | None:
    """Read ``offer.yaml``; ``None`` where the pack has none, or where it is wrong."""
    text = files.texts.get(PATH)
    if text is None:
        return None
    found = faults if faults is not None else Faults()
    before = len(found)
    name = files.name(PATH)
    sheet = Sheet(found, name, parsed(text, name))
    about = sheet.word("about", (PERSON, CERTIFICATE))
    kind = sheet.name("type") if about == CERTIFICATE else ""
    claims = _claims(sheet) if about == CERTIFICATE else {}
    known: dict[str, Type] = {"today": Type("date")}
    known.update({f"parameters.{key}": item.type for key, item in pack.parameters.items()})
    known.update({f"record.{key}": item for key, item in RECORD.items()} if about == PERSON else {})
    known.update({f"claims.{key}": item for key, item in claims.items()})
    known.update({f"holder.{key}": item for key, item in HOLDER.items()} if about == CERTIFICATE else {})
    when = sheet.expression("when", known, Type("boolean"))
    taken = sheet.sheet("taken")
    register = taken.name("register") if taken is not None else ""
    key = taken.expression("key", known) if taken is not None else None
    if taken is not None:
        taken.close()
    elements, cite = sheet.words("elements", required=True), sheet.words("cite", required=True)
    title, said = _both(sheet, "title"), _both(sheet, "text")
    if when is None and "when" not in sheet.data:
        sheet.fault("pack-key-missing", "The key 'when' is missing", remedy="say who is entitled")
    sheet.close()
    if len(found) > before or when is None:
        return None
    return OfferRule(about, kind, claims, when, title, said, elements, cite, sheet.line, register, key)


def _claims(sheet: Sheet) -> dict[str, Type]:
    inner = sheet.sheet("claims", required=True)
    if inner is None:
        return {}
    found = {name: Type(inner.word(name, CLAIM_KINDS), optional=True) for name in inner.data}
    inner.close()
    return found


def check_offer(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note what does not fit: a search without a law that asks for it, a service that nobody can apply for."""
    rule = read_offer(pack, files, faults)
    if rule is None:
        return
    name = files.name(PATH)
    for key in rule.cite:
        article = pack.articles.get(key)
        if article is None or article.status != "executed":
            faults.add("article-unknown", f"The offer cites {key}, which the pack does not execute", name, rule.line,
                       remedy="list the article in articles.yaml as executed")  # fmt: skip
    if not pack.offered:
        faults.add("offer-closed", "The pack is offered, and nobody can begin it", name, rule.line,
                   remedy="take offer.yaml away, or offered: false")  # fmt: skip


def _both(item: Sheet, key: str) -> dict[str, str]:
    inner = item.sheet(key, required=True) or Sheet(Faults(), item.file, Mapped(line=item.line))
    found = {language: inner.text(language) for language in LANGUAGES}
    inner.close()
    return found
