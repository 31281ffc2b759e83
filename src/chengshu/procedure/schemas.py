"""A JSON Schema for each file of a pack, made from what the readers know: editors complete and check while one types.

The checker says more than a schema can; a test holds the keys of both equal. The same descriptions make the reference
page (`pack_reference`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from chengshu.procedure import golden
from chengshu.procedure.formats import FORMATS, HUNDREDTHS
from chengshu.procedure.loader import INSTRUMENT_KINDS, STATUSES
from chengshu.procedure.model import HOLDERS, OUTCOME_KINDS
from chengshu.procedure.ports import Registry
from chengshu.procedure.read_forms import ACCEPT, ACCOUNT_ROLES, MAX_FILES, MAX_ROWS, PRIVACY
from chengshu.procedure.schema_parts import official_schema, parts_schema
from chengshu.procedure.schema_shapes import (
    BOTH,
    CITE,
    TERM,
    Schema,
    day,
    expression,
    flag,
    list_of,
    map_of,
    names,
    object_of,
    text_of,
    word,
)
from chengshu.procedure.schema_uses import offer_schema, uses_schema
from chengshu.procedure.sheets import NAME, PACK_ID
from chengshu.procedure.types import COLUMN_KINDS, KINDS, Type

DRAFT = "https://json-schema.org/draft/2020-12/schema"
# File (or folder) of a pack → name of its schema.
FILES = {
    "pack.yaml": "pack",
    "articles.yaml": "articles",
    "form.yaml": "form",
    "states.yaml": "states",
    "deadlines.yaml": "deadlines",
    "parts.yaml": "parts",
    "official_forms.yaml": "official_forms",
    "uses.yaml": "uses",
    "offer.yaml": "offer",
    "decisions": "decision",
    "parameters": "parameters",
    "texts": "texts",
    "cases": "cases",
}


def schemas(registry: Registry) -> dict[str, Schema]:
    """Return name → JSON Schema. ``registry`` says which effects and sources there are."""
    made = {
        "pack": _pack(),
        "articles": _articles(),
        "form": _form(registry),
        "states": _states(registry),
        "deadlines": _deadlines(),
        "parts": parts_schema(),
        "official_forms": official_schema(),
        "uses": uses_schema(),
        "offer": offer_schema(),
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
    instrument = object_of(
        "A law, regulation or house rule",
        ("id", "title", "issuer", "kind", "date", "in_force"),
        id=text_of("How citations call it; the part before the colon", pattern=NAME.pattern),
        title=text_of("Its title in Chinese"),
        title_en=text_of("Its title in English; unofficial"),
        number=text_of("Its number, such as 国务院令第746号"),
        issuer=text_of("Who issued it"),
        kind=word("What it is", INSTRUMENT_KINDS),
        date=day("When it was issued"),
        in_force=day("From when it holds; not after valid_from"),
        repealed=day("From when it no longer holds"),
        source=text_of("Where the text was taken from"),
        numbered={**BOTH, "description": "How it is numbered where it has no articles: {zh: 项, en: item}"},
    )
    role = object_of(
        "Who may hold the role",
        ("holder",),
        holder=word(
            "cell: staff of the case's grid cell; department: officers of the case's department; role: accounts of a "
            "role; opener: who opened the case; public: any signed-in account; party: accounts entered by add_party; "
            "assignee: the account the case was opened for; system: the machine",
            HOLDERS,
        ),
        role=word("With holder role: the account role", ACCOUNT_ROLES),
        department=text_of("With holder department: always this department, not the case's"),
    )
    return object_of(
        "What the pack is, what it rests on, who takes part",
        ("id", "version", "jurisdiction", "valid_from"),
        id=text_of("The pack's name; its folder is called so", pattern=PACK_ID.pattern),
        version=text_of("A changed pack needs a new version", examples=["1.0.0"]),
        jurisdiction=text_of("Division code of where it holds, in quotes"),
        valid_from=day("From when cases may be opened under it"),
        valid_to={"type": ["string", "null"], "format": "date", "description": "Until when; null: no end"},
        basis=list_of("The instruments that it rests on", instrument),
        roles=map_of("The roles of its steps", role),
        extends=object_of(
            "A thin pack: what it does not say itself comes from this pack",
            ("pack", "version"),
            pack=text_of("The other pack's id; its folder lies beside this one, or it is loaded"),
            version=text_of("The version"),
        ),
    )


def _articles() -> Schema:
    article = object_of(
        "One article",
        ("article", "gist", "status"),
        article=text_of("Its key: instrument:article.paragraph.item"),
        gist={**BOTH, "description": "What it says, in our own words"},
        status=word(
            "executed: some element cites it; informative or exempt: nothing does, and why says why", STATUSES
        ),
        why=text_of("Why nothing executes it"),
    )
    return object_of(
        "Every article of the instruments, accounted for",
        ("articles",),
        articles=list_of("The articles", article),
    )


def _field(registry: Registry, *, column: bool = False) -> Schema:
    properties: dict[str, Schema] = {
        "type": word("What the answer is; money is whole fen", COLUMN_KINDS if column else KINDS),
        "choices": names("With choice: one of these; with texts: several of these"),
        "element": text_of("The catalogue's data element that it maps to"),
        "required": flag("Whether an answer must be given"),
        "most": {"type": "integer", "minimum": 1, "description": f"The most characters, items, files (≤ {MAX_FILES}) "
                 f"or rows (≤ {MAX_ROWS})"},
        "format": word("What a text must look like; hundredths: a whole number read with two decimals",
                       (*FORMATS, HUNDREDTHS)),
        "cite": CITE,
    }  # fmt: skip
    if column:
        return object_of("A column of rows", ("type",), **properties)
    sources: Schema = object_of(
        "What fills the field first",
        ("source",),
        source=word("Which source", tuple(registry.sources)),
        only=flag("What the source says stands, whatever is typed; an optional fact without it stays empty"),
        where={
            "type": "object",
            "description": "Which one is meant where the source holds several: what it says there → expression, which may "
            "read the field itself; none counts where several fit, and an empty value sets no condition",
            "additionalProperties": expression("A value"),
        },
        **{
            "with": {
                "type": "object",
                "description": "Its parameters",
                "additionalProperties": expression("A value"),
            }
        },
    )
    properties |= {
        "when": expression("Asked only when this holds"),
        "check": expression(
            "The answer is refused unless this holds; its words stand under texts: fields.<name>.check"
        ),
        "options": text_of("A fact that is a list: the answer is one of its values", pattern="^facts\\."),
        "prefill": sources,
        "typed": text_of("Why a decision of rules alone may rest on what people type here"),
        "accept": word("With files: photos are cleaned, documents are PDF", ACCEPT),
        "privacy": word(
            "Personal values are kept apart, can be erased, and each look at them is recorded", PRIVACY
        ),
        "columns": map_of("With rows: the columns", _field(registry, column=True)),
        "role": word("With accounts: offer accounts of this role", ACCOUNT_ROLES),
        "department": text_of("With accounts: offer accounts of this department"),
        "grounds": map_of("The articles that single choices rest on", CITE),
    }
    return object_of("A field", ("type", "element"), **properties)


def _form(registry: Registry) -> Schema:
    field = _field(registry)
    section = object_of(
        "A part of the opening form",
        ("id", "fields"),
        id=text_of("Its title stands under texts: sections.<id>", pattern=NAME.pattern),
        fields=names("The facts that it asks for, in order"),
    )
    form = object_of("What a command carries", ("fields",), fields=map_of("Its fields", field))
    return object_of(
        "What people fill in",
        (),
        facts=map_of("What a case is opened with", field),
        sections=list_of("The parts of the opening form, in order", section),
        forms=map_of("What the commands carry", form),
    )


def _effect(registry: Registry) -> Schema:
    effect = object_of(
        "Something to do with the step",
        ("do",),
        do=word("Which effect", tuple(registry.effects)),
        when=expression("Only when this holds"),
        for_each=expression("Once for each item of this list; item or item.<column> may be read"),
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
                "additionalProperties": expression("A value"),
            }
            if type_.kind == "map"
            else expression(f"{type_.kind}{': ' + ', '.join(type_.choices) if type_.choices else ''}")
            for name, type_ in params.items()
        },
        "required": [name for name, type_ in params.items() if not type_.optional],
        "additionalProperties": False,
    }


def _states(registry: Registry) -> Schema:
    effects = list_of(
        "What follows, in order; those inside the database succeed or fail with the step", _effect(registry)
    )
    by = names("The roles that may do it")
    sets = {
        "type": "object",
        "description": "Kept values that change",
        "additionalProperties": expression("A value"),
    }
    when = expression(
        "The condition; it may read data.*, facts.*, case.*, decided.*, parameters.*, today, children.*, "
        "parts.*, part.*"
    )
    decides = names("Decision tables that are asked first; their outputs are decided.*")
    step = {"decides": decides, "when": when, "sets": sets, "effects": effects, "by": by, "cite": CITE}
    keep = object_of(
        "A value that the case carries along", ("type",),
        type=word("What it is", KINDS), choices=names("With choice"),
        columns=map_of("With rows: the columns", _field(registry, column=True)),
        initial={"description": "What it starts from; without it the value starts empty"},
    )  # fmt: skip
    state = object_of(
        "A state", (),
        tasks=names("The roles that have a task; none where the end of a child case leads on"),
        final=flag("Whether the case ends here"),
        outcome=text_of("With final: how it ended"),
        outcome_kind=word("With final, and needed there: what supervisors read of it. granted: what was asked for was given; "
                          "refused: it was not, and only a person of the office may lead there; withdrawn: whoever asked took "
                          "it back, or let it lie; reversed: a decision taken before was undone; ended: any other end, the "
                          "holder's own cancellation too", OUTCOME_KINDS),
        refusal=flag("With final: the older way to say outcome_kind: refused"),
    )  # fmt: skip
    transition = object_of(
        "A step: the first one of a command whose condition holds is taken", ("id", "from", "by", "cite"),
        id=text_of("Its name; the sentence in the history stands under texts: sentences.<id>", pattern=NAME.pattern),
        command=text_of("The command that takes it; its id where left out"),
        **{"from": names("The states, or [any]")},
        to=text_of("The state it leads to; stay: the state and its terms stay as they are", default="stay"),
        not_who=names("Not for those who took these steps, or opened: four eyes"),
        once=flag("At most once in a case"),
        reverses=flag("It undoes a decision taken before (opens it again, takes it back) though its state does not say so: a "
                      "supervisor sees it with its ground. A step into an end of outcome_kind reversed does so anyway"),
        forwarded_by=names("Until one of these steps is taken, only the office and whoever took this one see its answers"),
        form=text_of("The form that the command carries"),
        **step,
    )  # fmt: skip
    return object_of(
        "States, steps and what a case keeps", (),
        start=text_of("The first state"),
        keeps=map_of("What a case carries along, read as case.<name>", keep),
        label=expression("What lists call the case; nothing personal"),
        returns=names("Kept values that a child case hands to its parent at its end"),
        opening=object_of("How a case begins", ("by", "cite"), **step,
                        department=expression("The department of a case opened without one"),
                        offered=flag("Whether people begin such a case by a form or a call of their own; false: a step of "
                                      "another case does, or the system", default=True)),
        administration=object_of("Who may reassign and hand over", ("by", "cite"), by=by, cite=CITE),
        watches=list_of("What of the record of whom a case is about brings a command", object_of(
            "Once the element has a value, the system gives the command with it, wherever the case allows it",
            ("element", "do", "field", "cite"),
            element=text_of("The data element of the golden record"),
            do=text_of("The command; it has a step by [system]"),
            field=text_of("The field of its form that takes the value"),
            cite=CITE,
        )),
        states=map_of("The states", state),
        transitions=list_of("The steps", transition),
    )  # fmt: skip


def _deadlines() -> Schema:
    from_parameter = object_of(
        "From a parameter", ("parameter",), parameter=text_of("A text parameter whose values are terms")
    )
    deadline = object_of(
        "A term: it has term or until",
        ("starts_on", "runs_while", "on_expiry", "cite"),
        starts_on=names("The states whose entry starts it"),
        runs_while=names("The states in which it runs"),
        suspended_while=names("The states in which its clock stands"),
        restarts=flag("Whether entering starts it anew while it runs"),
        term={"anyOf": [TERM, from_parameter], "description": "Its length, counted by the Civil Code"},
        until=expression("Its last day; empty: it does not start"),
        before=text_of("With until: it ends so long before that day (days, months or years)"),
        amber=text_of(
            "How long before the end its light turns amber (workdays, days or hours)", default="2 workdays"
        ),
        on_expiry=text_of("The command that the system gives when it ends"),
        cite=CITE,
    )
    return object_of("The terms", ("deadlines",), deadlines=map_of("The terms", deadline))


def _decision() -> Schema:
    output = object_of("An output", ("type",), type=word("What it is", KINDS), choices=names("With choice"),
                     optional=flag("Whether a row may leave it out"))  # fmt: skip
    row = object_of(
        "A row: the first that holds decides",
        ("id", "then", "cite"),
        id=text_of("Its name", pattern=NAME.pattern),
        when=expression("Its condition; the last row may have none"),
        then={"type": "object", "description": "The outputs", "additionalProperties": expression("A value")},
        cite=CITE,
    )
    return object_of(
        "A decision table",
        ("id", "outputs", "rows"),
        id=text_of("Its name, as decides: calls it", pattern=NAME.pattern),
        form=text_of("The form whose answers (data.*) it reads"),
        outputs=map_of("What it gives, read as decided.<name>", output),
        rows=list_of("The rows, tried from the top", row),
    )


def _parameters() -> Schema:
    value = object_of(
        "A value from a day on",
        ("from", "value", "cite"),
        **{"from": day("From when it holds")},
        value={"description": "The value"},
        cite=CITE,
    )
    parameter = object_of(
        "A value that changes by date",
        ("type", "last_checked", "values"),
        type=word("What it is", KINDS),
        choices=names("With choice"),
        last_checked=day("When somebody last compared it with its source"),
        values=list_of("Oldest first", value),
    )
    return map_of("Dated values, read as parameters.<name>", parameter)


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
    "at": text_of("When, in Asia/Shanghai: 2026-11-23 09:00"),
    "by": text_of("The role that acts; the system where left out"),
    "as": text_of("Who acts, where it matters who did what before"),
    "facts": {"type": "object", "description": "What the case is opened with"},
    "refused": text_of("The code with which it must be refused"),
    "because": text_of("The arithmetic or the reason, in words"),
    "do": text_of("The command; without one, time only passes"),
    "with": {"type": "object", "description": "What the command carries, or what a child returns"},
    "child": {"type": "integer", "minimum": 1, "description": "The n-th child case that was opened ends"},
    "ended": text_of("With child: its outcome"),
    "part": text_of("The case of this part reached a state"),
    "join": text_of("The shared case of this join reached a state"),
    "record": {
        "type": "object",
        "description": "The record of whom the case is about says so: element → value",
    },
    "opening": text_of("With part: the code with which its opening was refused"),
    "parts": {"type": "object", "description": "Part → waiting, open, done, refused, skipped or blocked"},
    "joins": {"type": "object", "description": "Join → waiting, open, done, refused or skipped"},
    "state": text_of("The state then; with part or join: the state it reached"),
    "outcome": text_of("The outcome then"),
    "label": text_of("What lists call the case"),
    "department": text_of("The department that the pack gave it"),
    "terms": {"type": "object", "description": "Term → due, state, and because with the arithmetic"},
    "kept": {"type": "object", "description": "Kept values"},
    "effects": {"type": "array", "description": "All effects in order; of with: what is named"},
    "effects_include": {"type": "array", "description": "Some of the effects, in any order"},
    "documents": list_of("The templates of all documents, in order", {"type": "string"}),
    "children": {"type": "object", "description": "How many child cases are open, ended"},
    "grounds": list_of("Articles that some step rested on", {"type": "string"}),
}


def _cases() -> Schema:
    def part(description: str, keys: tuple[str, ...]) -> Schema:
        return object_of(description, (), **{key: _CASE_KEYS[key] for key in keys})

    case = object_of(
        "A golden case",
        ("case", "given", "then"),
        case=text_of("What it shows"),
        about=text_of("More words"),
        given=part("How it is opened", golden.GIVEN),
        when=list_of("What happens, in order of time", part("A step", golden.STEP)),
        then=part("What must be so", golden.THEN),
    )
    return object_of("Golden cases", ("cases",), cases=list_of("The cases", case))
