"""A JSON Schema for each file of a pack, made from what the readers know: editors complete and check while one types.

The checker says more than a schema can; a test holds the keys of both equal. The same descriptions make the reference
page (`pack_reference`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chengshu.procedure import golden
from chengshu.procedure.formats import FORMATS
from chengshu.procedure.loader import INSTRUMENT_KINDS, STATUSES
from chengshu.procedure.model import HOLDERS
from chengshu.procedure.ports import Registry
from chengshu.procedure.read_forms import ACCEPT, ACCOUNT_ROLES, MAX_FILES, MAX_ROWS, PRIVACY
from chengshu.procedure.sheets import NAME, PACK_ID
from chengshu.procedure.types import COLUMN_KINDS, KINDS, Type

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
# File (or folder) of a pack → name of its schema.
FILES = {
    "pack.yaml": "pack",
    "articles.yaml": "articles",
    "form.yaml": "form",
    "states.yaml": "states",
    "deadlines.yaml": "deadlines",
    "decisions": "decision",
    "parameters": "parameters",
    "texts": "texts",
    "cases": "cases",
}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _day(description: str) -> Schema:
    return {"type": "string", "format": "date", "description": description}


def _word(description: str, words: tuple[str, ...]) -> Schema:
    return {"enum": [word for word in words if word], "description": description}


def _flag(description: str, *, default: bool = False) -> Schema:
    return {"type": "boolean", "default": default, "description": description}


def _names(description: str) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "description": description}


def _expression(description: str) -> Schema:
    return {"type": ["string", "boolean", "integer"], "description": f"{description} (an expression)"}


def _object(description: str, needed: tuple[str, ...], /, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }


def _map(description: str, of: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "propertyNames": {"pattern": NAME.pattern},
        "additionalProperties": of,
    }


def _list(description: str, of: Schema) -> Schema:
    return {"type": "array", "description": description, "items": of}


CITE = _names("The articles that this rests on, as keys such as law:12.1 (article 12, paragraph 1)")
BOTH = _object("In both languages", ("zh", "en"), zh=_text("Chinese"), en=_text("English; unofficial"))
TERM = _text(
    "A length: 10 workdays, 30 days, 3 months, 1 year, 24 hours or at once",
    examples=["10 workdays", "3 months"],
)


def schemas(registry: Registry) -> dict[str, Schema]:
    """Return name → JSON Schema. ``registry`` says which effects and sources there are."""
    made = {
        "pack": _pack(),
        "articles": _articles(),
        "form": _form(registry),
        "states": _states(registry),
        "deadlines": _deadlines(),
        "decision": _decision(),
        "parameters": _parameters(),
        "texts": _texts(),
        "cases": _cases(),
    }
    titles = {name: file for file, name in FILES.items()}
    return {
        name: {"$schema": DRAFT, "title": f"Chengshu pack: {titles[name]}", **schema}
        for name, schema in made.items()
    }


def schema_texts(registry: Registry) -> dict[str, str]:
    """Return file name → text of each schema, as it is committed and written by `chengshu pack schema`."""
    return {
        f"{name}.json": json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        for name, schema in schemas(registry).items()
    }


def _pack() -> Schema:
    instrument = _object(
        "A law, regulation or house rule",
        ("id", "title", "issuer", "kind", "date", "in_force"),
        id=_text("How citations call it; the part before the colon", pattern=NAME.pattern),
        title=_text("Its title in Chinese"),
        title_en=_text("Its title in English; unofficial"),
        number=_text("Its number, such as 国务院令第746号"),
        issuer=_text("Who issued it"),
        kind=_word("What it is", INSTRUMENT_KINDS),
        date=_day("When it was issued"),
        in_force=_day("From when it holds; not after valid_from"),
        repealed=_day("From when it no longer holds"),
        source=_text("Where the text was taken from"),
        numbered={**BOTH, "description": "How it is numbered where it has no articles: {zh: 项, en: item}"},
    )
    role = _object(
        "Who may hold the role",
        ("holder",),
        holder=_word(
            "cell: staff of the case's grid cell; department: officers of the case's department; role: accounts of a "
            "role; opener: who opened the case; public: any signed-in account; party: accounts entered by add_party; "
            "assignee: the account the case was opened for; system: the machine",
            HOLDERS,
        ),
        role=_word("With holder role: the account role", ACCOUNT_ROLES),
        department=_text("With holder department: always this department, not the case's"),
    )
    return _object(
        "What the pack is, what it rests on, who takes part",
        ("id", "version", "jurisdiction", "valid_from"),
        id=_text("The pack's name; its folder is called so", pattern=PACK_ID.pattern),
        version=_text("A changed pack needs a new version", examples=["1.0.0"]),
        jurisdiction=_text("Division code of where it holds, in quotes"),
        valid_from=_day("From when cases may be opened under it"),
        valid_to={"type": ["string", "null"], "format": "date", "description": "Until when; null: no end"},
        basis=_list("The instruments that it rests on", instrument),
        roles=_map("The roles of its steps", role),
        extends=_object(
            "A thin pack: what it does not say itself comes from this pack",
            ("pack", "version"),
            pack=_text("The other pack's id; its folder lies beside this one, or it is loaded"),
            version=_text("The version"),
        ),
    )


def _articles() -> Schema:
    article = _object(
        "One article",
        ("article", "gist", "status"),
        article=_text("Its key: instrument:article.paragraph.item"),
        gist={**BOTH, "description": "What it says, in our own words"},
        status=_word(
            "executed: some element cites it; informative or exempt: nothing does, and why says why", STATUSES
        ),
        why=_text("Why nothing executes it"),
    )
    return _object(
        "Every article of the instruments, accounted for",
        ("articles",),
        articles=_list("The articles", article),
    )


def _field(registry: Registry, *, column: bool = False) -> Schema:
    properties: dict[str, Schema] = {
        "type": _word("What the answer is; money is whole fen", COLUMN_KINDS if column else KINDS),
        "choices": _names("With choice: one of these; with texts: several of these"),
        "element": _text("The catalogue's data element that it maps to"),
        "required": _flag("Whether an answer must be given"),
        "most": {"type": "integer", "minimum": 1, "description": f"The most characters, items, files (≤ {MAX_FILES}) "
                 f"or rows (≤ {MAX_ROWS})"},
        "format": _word("What a text must look like", FORMATS),
        "cite": CITE,
    }  # fmt: skip
    if column:
        return _object("A column of rows", ("type",), **properties)
    sources: Schema = _object(
        "What fills the field first",
        ("source",),
        source=_word("Which source", tuple(registry.sources)),
        **{
            "with": {
                "type": "object",
                "description": "Its parameters",
                "additionalProperties": _expression("A value"),
            }
        },
    )
    properties |= {
        "when": _expression("Asked only when this holds"),
        "check": _expression(
            "The answer is refused unless this holds; its words stand under texts: fields.<name>.check"
        ),
        "options": _text("A fact that is a list: the answer is one of its values", pattern="^facts\\."),
        "prefill": sources,
        "accept": _word("With files: photos are cleaned, documents are PDF", ACCEPT),
        "privacy": _word(
            "Personal values are kept apart, can be erased, and each look at them is recorded", PRIVACY
        ),
        "columns": _map("With rows: the columns", _field(registry, column=True)),
        "role": _word("With accounts: offer accounts of this role", ACCOUNT_ROLES),
        "department": _text("With accounts: offer accounts of this department"),
        "grounds": _map("The articles that single choices rest on", CITE),
    }
    return _object("A field", ("type", "element"), **properties)


def _form(registry: Registry) -> Schema:
    field = _field(registry)
    section = _object(
        "A part of the opening form",
        ("id", "fields"),
        id=_text("Its title stands under texts: sections.<id>", pattern=NAME.pattern),
        fields=_names("The facts that it asks for, in order"),
    )
    form = _object("What a command carries", ("fields",), fields=_map("Its fields", field))
    return _object(
        "What people fill in",
        (),
        facts=_map("What a case is opened with", field),
        sections=_list("The parts of the opening form, in order", section),
        forms=_map("What the commands carry", form),
    )


def _effect(registry: Registry) -> Schema:
    effect = _object(
        "Something to do with the step",
        ("do",),
        do=_word("Which effect", tuple(registry.effects)),
        when=_expression("Only when this holds"),
        for_each=_expression("Once for each item of this list; item or item.<column> may be read"),
        **{
            "with": {
                "type": "object",
                "description": "Its parameters: expressions; a text is written \"'so'\"",
            }
        },
    )
    effect["allOf"] = [
        {
            "if": {"properties": {"do": {"const": name}}},
            "then": {"properties": {"with": _params(spec.params)}},
        }
        for name, spec in registry.effects.items()
    ]
    return effect


def _params(params: Mapping[str, Type]) -> Schema:
    return {
        "properties": {
            name: {
                "type": "object",
                "description": "Name → expression",
                "additionalProperties": _expression("A value"),
            }
            if type_.kind == "map"
            else _expression(f"{type_.kind}{': ' + ', '.join(type_.choices) if type_.choices else ''}")
            for name, type_ in params.items()
        },
        "required": [name for name, type_ in params.items() if not type_.optional],
        "additionalProperties": False,
    }


def _states(registry: Registry) -> Schema:
    effects = _list(
        "What follows, in order; those inside the database succeed or fail with the step", _effect(registry)
    )
    by = _names("The roles that may do it")
    sets = {
        "type": "object",
        "description": "Kept values that change",
        "additionalProperties": _expression("A value"),
    }
    when = _expression(
        "The condition; it may read data.*, facts.*, case.*, decided.*, parameters.*, today, children.*"
    )
    decides = _names("Decision tables that are asked first; their outputs are decided.*")
    step = {"decides": decides, "when": when, "sets": sets, "effects": effects, "by": by, "cite": CITE}
    keep = _object(
        "A value that the case carries along", ("type",),
        type=_word("What it is", KINDS), choices=_names("With choice"),
        columns=_map("With rows: the columns", _field(registry, column=True)),
        initial={"description": "What it starts from; without it the value starts empty"},
    )  # fmt: skip
    state = _object(
        "A state", (),
        tasks=_names("The roles that have a task; none where the end of a child case leads on"),
        final=_flag("Whether the case ends here"),
        outcome=_text("With final: how it ended"),
    )  # fmt: skip
    transition = _object(
        "A step: the first one of a command whose condition holds is taken", ("id", "from", "by", "cite"),
        id=_text("Its name; the sentence in the history stands under texts: sentences.<id>", pattern=NAME.pattern),
        command=_text("The command that takes it; its id where left out"),
        **{"from": _names("The states, or [any]")},
        to=_text("The state it leads to; stay: the state and its terms stay as they are", default="stay"),
        not_who=_names("Not for those who took these steps, or opened: four eyes"),
        once=_flag("At most once in a case"),
        form=_text("The form that the command carries"),
        **step,
    )  # fmt: skip
    return _object(
        "States, steps and what a case keeps", (),
        start=_text("The first state"),
        keeps=_map("What a case carries along, read as case.<name>", keep),
        label=_expression("What lists call the case; nothing personal"),
        returns=_names("Kept values that a child case hands to its parent at its end"),
        opening=_object("How a case begins", ("by", "cite"), **step,
                        department=_expression("The department of a case opened without one"),
                        offered=_flag("Whether people begin such a case by a form or a call of their own; false: a step of "
                                      "another case does, or the system", default=True)),
        administration=_object("Who may reassign and hand over", ("by", "cite"), by=by, cite=CITE),
        states=_map("The states", state),
        transitions=_list("The steps", transition),
    )  # fmt: skip


def _deadlines() -> Schema:
    from_parameter = _object(
        "From a parameter", ("parameter",), parameter=_text("A text parameter whose values are terms")
    )
    deadline = _object(
        "A term: it has term or until",
        ("starts_on", "runs_while", "on_expiry", "cite"),
        starts_on=_names("The states whose entry starts it"),
        runs_while=_names("The states in which it runs"),
        suspended_while=_names("The states in which its clock stands"),
        restarts=_flag("Whether entering starts it anew while it runs"),
        term={"anyOf": [TERM, from_parameter], "description": "Its length, counted by the Civil Code"},
        until=_expression("Its last day; empty: it does not start"),
        before=_text("With until: it ends so long before that day (days, months or years)"),
        amber=_text(
            "How long before the end its light turns amber (workdays, days or hours)", default="2 workdays"
        ),
        on_expiry=_text("The command that the system gives when it ends"),
        cite=CITE,
    )
    return _object("The terms", ("deadlines",), deadlines=_map("The terms", deadline))


def _decision() -> Schema:
    output = _object("An output", ("type",), type=_word("What it is", KINDS), choices=_names("With choice"),
                     optional=_flag("Whether a row may leave it out"))  # fmt: skip
    row = _object(
        "A row: the first that holds decides",
        ("id", "then", "cite"),
        id=_text("Its name", pattern=NAME.pattern),
        when=_expression("Its condition; the last row may have none"),
        then={"type": "object", "description": "The outputs", "additionalProperties": _expression("A value")},
        cite=CITE,
    )
    return _object(
        "A decision table",
        ("id", "outputs", "rows"),
        id=_text("Its name, as decides: calls it", pattern=NAME.pattern),
        form=_text("The form whose answers (data.*) it reads"),
        outputs=_map("What it gives, read as decided.<name>", output),
        rows=_list("The rows, tried from the top", row),
    )


def _parameters() -> Schema:
    value = _object(
        "A value from a day on",
        ("from", "value", "cite"),
        **{"from": _day("From when it holds")},
        value={"description": "The value"},
        cite=CITE,
    )
    parameter = _object(
        "A value that changes by date",
        ("type", "last_checked", "values"),
        type=_word("What it is", KINDS),
        choices=_names("With choice"),
        last_checked=_day("When somebody last compared it with its source"),
        values=_list("Oldest first", value),
    )
    return _map("Dated values, read as parameters.<name>", parameter)


def _texts() -> Schema:
    return {
        "type": "object",
        "description": "What people read; {facts.x}, {data.x}, {case.x}, {decided.x} and {actor} are filled in",
        "additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/texts"}]},
        "$defs": {
            "texts": {
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/texts"}]},
            }
        },
    }


_CASE_KEYS: dict[str, Schema] = {
    "at": _text("When, in Asia/Shanghai: 2026-11-23 09:00"),
    "by": _text("The role that acts; the system where left out"),
    "as": _text("Who acts, where it matters who did what before"),
    "facts": {"type": "object", "description": "What the case is opened with"},
    "refused": _text("The code with which it must be refused"),
    "because": _text("The arithmetic or the reason, in words"),
    "do": _text("The command; without one, time only passes"),
    "with": {"type": "object", "description": "What the command carries, or what a child returns"},
    "child": {"type": "integer", "minimum": 1, "description": "The n-th child case that was opened ends"},
    "ended": _text("With child: its outcome"),
    "state": _text("The state then"),
    "outcome": _text("The outcome then"),
    "label": _text("What lists call the case"),
    "department": _text("The department that the pack gave it"),
    "terms": {"type": "object", "description": "Term → due, state, and because with the arithmetic"},
    "kept": {"type": "object", "description": "Kept values"},
    "effects": {"type": "array", "description": "All effects in order; of with: what is named"},
    "effects_include": {"type": "array", "description": "Some of the effects, in any order"},
    "documents": _list("The templates of all documents, in order", {"type": "string"}),
    "children": {"type": "object", "description": "How many child cases are open, ended"},
    "grounds": _list("Articles that some step rested on", {"type": "string"}),
}


def _cases() -> Schema:
    def part(description: str, keys: tuple[str, ...]) -> Schema:
        return _object(description, (), **{key: _CASE_KEYS[key] for key in keys})

    case = _object(
        "A golden case",
        ("case", "given", "then"),
        case=_text("What it shows"),
        about=_text("More words"),
        given=part("How it is opened", golden.GIVEN),
        when=_list("What happens, in order of time", part("A step", golden.STEP)),
        then=part("What must be so", golden.THEN),
    )
    return _object("Golden cases", ("cases",), cases=_list("The cases", case))
