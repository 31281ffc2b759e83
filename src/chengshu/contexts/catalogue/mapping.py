"""Every field has a meaning: the mapping of table columns, form fields, API properties and source columns to
elements.

``mapping.yaml`` says for names what they are, everywhere (``names``) or in one table or schema (``tables``,
``schemas``): a data element, or ``~reason`` for a technical field that says nothing about the world; the
reasons are declared in ``technical``. Form fields and source columns name their element themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Mapped, load_yaml


class Field(NamedTuple):
    """One field somewhere: ``kind`` is table, form, api or source; ``declared`` its own element, if it names
    one.
    """

    kind: str
    where: str
    name: str
    declared: str | None = None


class Use(NamedTuple):
    """A field and what it is: an element's code, or ``~reason``."""

    kind: str
    where: str
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """The mapping file."""

    technical: Mapping[str, Mapping[str, str]]
    names: Mapping[str, str]
    places: Mapping[str, Mapping[str, str]]

    def meaning(self, field: Field) -> str | None:
        """Return what a field is, or ``None`` when nobody has said so."""
        if field.declared is not None:
            return field.declared
        own = self.places.get(field.where, {})
        return own.get(field.name, self.names.get(field.name))

    def stale(self, fields: Iterable[Field]) -> list[str]:
        """Return entries of the file that speak of no field."""
        seen = {(field.where, field.name) for field in fields}
        names = {name for _, name in seen}
        unused = [name for name in self.names if name not in names]
        for where, entries in self.places.items():
            unused += [f"{where}.{name}" for name in entries if (where, name) not in seen]
        return unused


def read_mapping(path: Path) -> FieldMapping:
    """Read ``mapping.yaml``; an unknown key or a reason that is not declared is refused."""
    top = load_yaml(path)
    if not isinstance(top, Mapped) or set(top) != {"technical", "names", "tables", "schemas"}:
        raise Problem(
            "mapping-form",
            "The mapping has technical, names, tables and schemas",
            where=Where(file=str(path), line=1),
        )
    technical = {name: dict(reason) for name, reason in top["technical"].items()}
    places = {**top["tables"], **top["schemas"]}
    for group in (top["names"], *places.values()):
        for name, meaning in group.items():
            if str(meaning).startswith("~") and meaning[1:] not in technical:
                raise Problem(
                    "mapping-reason",
                    f"{meaning} is no declared technical reason",
                    where=Where(file=str(path), line=group.lines[name], field=name),
                )
    return FieldMapping(
        technical, dict(top["names"]), {where: dict(entries) for where, entries in places.items()}
    )


def table_fields(models: Iterable[Any]) -> Iterator[Field]:
    """Yield the columns of Django models, as ``app.Model``."""
    for model in models:
        for field in model._meta.get_fields():
            if getattr(field, "column", None):
                yield Field("table", model._meta.label, field.name)


def api_fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    """Yield the properties and parameters of an OpenAPI description."""
    for name, body in schema.get("components", {}).get("schemas", {}).items():
        for prop in body.get("properties", {}):
            yield Field("api", name, prop)
    for path, operations in schema.get("paths", {}).items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                yield Field("api", f"{method.upper()} {path}", parameter["name"])


def pack_fields(packs: Path) -> Iterator[Field]:
    """Yield the facts and form fields of all packs in a folder."""
    for path in sorted(packs.rglob("form.yaml")):
        tree = load_yaml(path)
        pack = path.parent.name
        for name, fact in (tree.get("facts") or {}).items():
            yield _form_field(pack, f"facts.{name}", fact)
        for form, body in (tree.get("forms") or {}).items():
            for name, field in (body.get("fields") or {}).items():
                yield _form_field(pack, f"{form}.{name}", field)


def source_fields(columns: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[Field]:
    """Yield the columns of declared sources."""
    for source, items in columns.items():
        for column in items:
            yield Field("source", source, column["name"], column["element"])


def uses(mapping: FieldMapping, fields: Iterable[Field]) -> Iterator[Use]:
    """Yield what each mapped field is."""
    for field in fields:
        meaning = mapping.meaning(field)
        if meaning is not None:
            yield Use(field.kind, field.where, field.name, meaning)


def unmapped(mapping: FieldMapping, fields: Iterable[Field], elements: Iterable[str]) -> list[str]:
    """Return each field without a meaning, or whose element is not in the catalogue, as one line to act on."""
    known = set(elements)
    lines = []
    for field in fields:
        meaning = mapping.meaning(field)
        place = f"{field.kind} {field.where}: {field.name}"
        if meaning is None:
            lines.append(f"{place} is not mapped: add it to catalogue/mapping.yaml")
        elif not meaning.startswith(("~", "facts.")) and meaning not in known:
            lines.append(f"{place} is mapped to {meaning}, which catalogue/elements.yaml does not declare")
    return lines


def _form_field(pack: str, name: str, field: Any) -> Field:
    element = field.get("element") if isinstance(field, Mapping) else None
    return Field("form", pack, name, element)
