"""Reads form.yaml (facts and forms), parameters/ and the names that expressions may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chengshu.procedure.formats import FORMATS, HUNDREDTHS
from chengshu.procedure.model import WHERE, Dated, Field, Form, Parameter, Prefill, Section
from chengshu.procedure.parts import COUNTED, PART_STATES
from chengshu.procedure.ports import SELECTING, Registry
from chengshu.procedure.sheets import Sheet
from chengshu.procedure.types import COLUMN_KINDS, KINDS, BadValue, Type, check_value

PRIVACY = ("none", "personal", "sensitive")
ACCEPT = ("photo", "document", "")
ACCOUNT_ROLES = ("resident", "grid_worker", "steward", "officer", "operator", "clerk")
MAX_FILES = 9
MAX_ROWS = 500
MAX_COLUMNS = 20

# What there is nothing of while a case is being opened.
BEFORE_OPENING = ("case.", "children.", "part.", "parts.")
# Names that every expression may read.
BUILT_IN = {
    "today": Type("date"),
    "opened_on": Type("date"),
    "actor.id": Type("text"),
    "actor.name": Type("text"),
    "children.open": Type("integer"),
    "children.ended": Type("integer"),
}


@dataclass(slots=True)
class Names:
    """The declared names so far, by where they come from."""

    facts: dict[str, Field] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    keeps: dict[str, Type] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    outputs: dict[str, dict[str, Type]] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    # The ids of the parts of a one-thing.
    parts: tuple[str, ...] = ()

    def known(self, form: Form | None = None, tables: tuple[str, ...] = ()) -> dict[str, Type]:
        """Return dotted name → type as an expression sees them."""
        found: dict[str, Type] = dict(BUILT_IN)
        found.update({f"facts.{name}": fact.type for name, fact in self.facts.items()})
        found.update({f"case.{name}": type_ for name, type_ in self.keeps.items()})
        found.update({f"parameters.{name}": parameter.type for name, parameter in self.parameters.items()})
        for table in tables:
            found.update({f"decided.{name}": type_ for name, type_ in self.outputs.get(table, {}).items()})
        if form is not None:
            found.update({f"data.{name}": item.type for name, item in form.fields.items()})
        if self.parts:
            found.update({f"parts.{name}": Type("integer") for name in (*COUNTED, "left")})
            found.update({f"part.{name}": Type("choice", PART_STATES) for name in self.parts})
        return found


def read_type(
    sheet: Sheet, *, optional: bool, personal: bool = False, kinds: tuple[str, ...] = KINDS
) -> Type:
    """Read `type`, and `choices` for a choice or a list of texts."""
    kind = sheet.word("type", kinds)
    choices = sheet.words("choices", required=kind == "choice")
    if choices and kind not in ("choice", "texts"):
        sheet.fault(
            "pack-value", "Only a choice, or texts of which several may be chosen, has choices", "choices"
        )
    return Type(kind, choices, optional, personal)


def read_facts(sheet: Sheet, names: Names, sources: Registry) -> None:
    """Read `facts` and `sections`: what a case is opened with, and in which parts it is asked."""
    for name, item in sheet.named("facts", required=True):
        before = {key: type_ for key, type_ in names.known().items() if not key.startswith(BEFORE_OPENING)}
        names.facts[name] = _field(name, item, before, names, sources, "facts.")
    taken: set[str] = set()
    for item in sheet.listed("sections"):
        fields = item.words("fields", required=True)
        for name in fields:
            if name not in names.facts or name in taken:
                why = "stands in two sections" if name in taken else "is no fact"
                item.fault("section-field", f"{name!r} {why}", "fields")
            taken.add(name)
        names.sections.append(Section(item.name("id"), fields, item.line))
        item.close()


def read_forms(sheet: Sheet, names: Names, sources: Registry) -> None:
    """Read `forms`: what the commands carry."""
    for form_name, form_sheet in sheet.named("forms"):
        fields: dict[str, Field] = {}
        for name, item in form_sheet.named("fields", required=True):
            before = names.known(Form(form_name, fields, form_sheet.line))
            fields[name] = _field(name, item, before, names, sources, "data.")
        form_sheet.close()
        names.forms[form_name] = Form(form_name, fields, form_sheet.line)


def _field(
    name: str, item: Sheet, known: Mapping[str, Type], names: Names, sources: Registry, prefix: str
) -> Field:
    privacy = item.word("privacy", PRIVACY, "none")
    required = item.boolean("required", False)
    when = item.expression("when", known, Type("boolean"))
    type_ = read_type(item, optional=not required or when is not None, personal=privacy != "none")
    options = item.text("options", "")
    if options:
        fact = names.facts.get(options.removeprefix("facts."))
        if not options.startswith("facts.") or fact is None or fact.type.kind not in ("texts", "map"):
            item.fault("pack-value", "'options' names a fact that is a list, such as facts.values", "options")
    element = item.text("element")
    columns = read_columns(item, element, privacy) if type_.kind == "rows" else {}
    type_ = replace(type_, columns=tuple((key, column.type) for key, column in columns.items()))
    # A check is asked only when there is an answer.
    own = {**known, prefix + name: replace(type_, optional=False)}
    accounts = type_.kind == "accounts"
    read = Field(
        name=name,
        type=type_,
        element=element,
        required=required,
        when=when,
        options=options.removeprefix("facts."),
        prefill=_prefill(item, {**known, prefix + name: replace(type_, optional=True)}, known, sources),
        accept=item.word("accept", ACCEPT, "" if type_.kind != "files" else "photo"),
        most=_most(item, type_.kind),
        privacy=privacy,
        cite=item.words("cite"),
        line=item.line,
        format=_format(item, type_),
        check=item.expression("check", own, Type("boolean")),
        columns=columns,
        offer_role=item.word("role", ACCOUNT_ROLES, "") if accounts else "",
        offer_department=item.name("department", "") if accounts else "",
        grounds=_choice_grounds(item, type_),
        typed=item.text("typed", ""),
    )
    if read.typed and read.prefill is not None and read.prefill.only:
        item.fault("pack-value", "What only a source says is not typed", "typed", remedy="take typed: away")
    item.close()
    return read


def _most(item: Sheet, kind: str) -> int:
    default, most = {"files": (4, MAX_FILES), "rows": (100, MAX_ROWS)}.get(kind, (2000, 10_000))
    return item.number("most", default, 1, most)


def _format(item: Sheet, type_: Type) -> str:
    found = item.word("format", (*FORMATS, HUNDREDTHS), "")
    if found and type_.kind != ("integer" if found == HUNDREDTHS else "text"):
        item.fault("pack-value", "Only a text has a format, and a whole number that of hundredths", "format")
    return found


def read_columns(item: Sheet, element: str, privacy: str) -> dict[str, Field]:
    """Read the columns of rows: plain fields without conditions or sources."""
    found: dict[str, Field] = {}
    for name, column in item.named("columns", required=True):
        required = column.boolean("required", False)
        type_ = read_type(column, optional=not required, personal=privacy != "none", kinds=COLUMN_KINDS)
        found[name] = Field(
            name=name,
            type=type_,
            element=column.text("element", element),
            required=required,
            when=None,
            options="",
            prefill=None,
            accept="",
            most=column.number("most", 500, 1, 10_000),
            privacy=privacy,
            cite=column.words("cite"),
            line=column.line,
            format=_format(column, type_),
        )
        column.close()
    if len(found) > MAX_COLUMNS:
        item.fault("pack-value", f"Rows have at most {MAX_COLUMNS} columns", "columns")
    return found


def _choice_grounds(item: Sheet, type_: Type) -> dict[str, tuple[str, ...]]:
    """Read `grounds`: the articles of each choice that rests on its own."""
    inner = item.sheet("grounds")
    if inner is None:
        return {}
    found = {}
    for choice in inner.data:
        if choice not in type_.choices:
            inner.fault("pack-value", f"{choice!r} is none of the choices", choice)
        found[choice] = inner.words(choice)
    return found


def _prefill(
    item: Sheet, own: Mapping[str, Type], known: Mapping[str, Type], sources: Registry
) -> Prefill | None:
    """Read `prefill`; its `where` may read the field itself: what is answered there says which one is meant."""
    sheet = item.sheet("prefill")
    if sheet is None:
        return None
    source = sheet.text("source")
    spec = sources.sources.get(source)
    if spec is None:
        sheet.fault(
            "source-unknown", f"No source is called {source!r}", "source", remedy=_list(sources.sources)
        )
        spec = {}
    params = {}
    inner = sheet.sheet("with")
    for name, type_ in spec.items():
        found = inner.expression(name, known, type_) if inner is not None else None
        if found is not None:
            params[name] = found
        elif not type_.optional and (inner is None or name not in inner.data):
            sheet.fault("source-params", f"The source {source!r} needs {name!r}", "with")
    if inner is not None:
        inner.close()
    picks = sheet.expressions("where", own)
    if picks and source not in SELECTING:
        sheet.fault(
            "source-params", f"The source {source!r} takes no where", "where", remedy=", ".join(SELECTING)
        )
    params |= {f"{WHERE}{name}": value for name, value in picks.items()}
    only = sheet.boolean("only", False)
    sheet.close()
    return Prefill(source, params, only)


def _list(words: Mapping[str, Any]) -> str:
    return f"known: {', '.join(sorted(words))}"


def read_parameters(sheet: Sheet, names: Names) -> None:
    """Read one file of parameters/: dated values with their references."""
    for name, item in sheet.entries():
        if name in names.parameters:
            item.fault("pack-value", f"The parameter {name!r} stands in two files")
        type_ = read_type(item, optional=False)
        checked = item.day("last_checked")
        values = tuple(_dated(value, type_) for value in item.listed("values", required=True))
        starts = [value.start for value in values]
        if starts != sorted(set(starts)):
            item.fault("parameter-order", "Values stand oldest first, one for each day", "values")
        item.close()
        names.parameters[name] = Parameter(name, type_, values, checked, item.line)


def _dated(item: Sheet, type_: Type) -> Dated:
    start = item.day("from")
    value = item.get("value", required=True)
    try:
        value = check_value(value, type_)
    except BadValue as bad:
        item.fault("pack-value", f"The value does not fit its type: {bad}", "value")
    cite = item.words("cite")
    item.close()
    return Dated(start, value, cite, item.line)
