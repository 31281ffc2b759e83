"""The schemas of parts.yaml and official_forms.yaml."""

from __future__ import annotations

from chengshu.procedure.official import HOW
from chengshu.procedure.read_parts import PART_ID
from chengshu.procedure.schema_shapes import (
    CITE,
    Schema,
    expression,
    list_of,
    names,
    object_of,
    text_of,
    word,
)
from chengshu.procedure.sheets import PACK_ID


def parts_schema() -> Schema:
    """Return the schema of parts.yaml."""
    values = {"type": "object", "additionalProperties": expression("A value")}
    facts = {**values, "description": "Fact of its pack → expression over this pack's names"}
    given = object_of(
        "A command",
        ("do",),
        do=text_of("The command"),
        **{"with": {**values, "description": "What it carries"}},
    )
    part = object_of(
        "A part: a case of another pack, of its own office", ("id", "pack", "done", "cite"),
        id=text_of("Read in expressions as part.<id>; its title stands under texts: parts.<id>.title", pattern=PART_ID.pattern),
        pack=text_of("The pack of its case; its folder lies beside this one, or it is loaded", pattern=PACK_ID.pattern),
        when=expression("Whether it is wanted; asked when the parts before it have ended"),
        after=names("It opens when these have ended well, or are not wanted; one that was refused blocks it"),
        done=names("States of its case in which it has ended well; any other final state counts as refused"),
        then=list_of("Commands that follow its opening at once, in the applicant's name", given),
        withdraw=text_of("The command that its case gets when this one ends while it is open"),
        facts=facts,
        returns={"type": "object", "description": "Kept value of this pack → expression over the part's case",
                 "additionalProperties": {"type": "string"}},
        cite=CITE,
    )  # fmt: skip
    join = object_of(
        "A join: one shared case in which parts meet", ("id", "pack", "parts", "done", "withdraw", "cite"),
        id=text_of("Its title stands under texts: joins.<id>.title", pattern=PART_ID.pattern),
        pack=text_of("The pack of the shared case", pattern=PACK_ID.pattern),
        parts={"type": "object", "description": "Part → the state of its case in which it waits; the join opens when all do",
               "additionalProperties": {"type": "string"}},
        facts=facts,
        done=names("States of the shared case in which it has ended well"),
        gives={"type": "object", "description": "Part → the command that the end of the shared case brings it, by the system",
               "additionalProperties": object_of(
                   "A command", ("do",), do=text_of("The command"),
                   **{"with": {**values, "description": "What it carries: expressions over the shared case"}})},
        withdraw=text_of("The command by the system that calls the shared case off, in each of its states, once no part waits "
                         "for it any more or this one has ended"),
        leaves={"type": "object", "additionalProperties": {"type": "string"},
                "description": "Part → the command by the system that tells the shared case that this part has ended before it, "
                               "where others still wait"},
        cite=CITE,
    )  # fmt: skip
    return object_of(
        "The parts of a one-thing and where they meet", ("runs_while", "on_part", "parts"),
        runs_while=names("The states of this pack in which parts open"),
        on_part=text_of("The command by [system] that brings news of a part; it has a step wherever parts may be under way"),
        parts=list_of("The parts", part),
        joins=list_of("Where parts meet", join),
    )  # fmt: skip


def official_schema() -> Schema:
    """Return the schema of official_forms.yaml."""
    field = object_of(
        "A field of the form", ("name", "element", "how"),
        name=text_of("What the form calls it"),
        fact=text_of("The fact that holds it, or part.fact of a part"),
        element=text_of("The catalogue's data element"),
        how=word(
            "How it is met: `fact` (a fact holds it, asked or filled in), `derived` (it follows by a rule), `office` "
            "(the authority fills it in), `applicant` (people write it, and the pack does not ask: counts as asked)", HOW,
        ),
        rule=expression("From what it follows: reads facts, what the case keeps, parameters, the actor or the day"),
        part=text_of("Or: part.fact, a fact that a part gets unasked: from other facts, or from a source of its own"),
        certificate=text_of("Or: type.field of a certificate that one of the parts issues"),
        when=expression("Where it is not true, the form leaves the field empty"),
    )  # fmt: skip
    form = object_of(
        "An official form", ("id", "title", "issuer", "fields"),
        id=text_of("Its name"),
        title=text_of("What it is called"),
        issuer=text_of("Whose form it is"),
        source=text_of("Where its text was taken from"),
        edition=text_of("Which edition of the form; says so where none could be cited"),
        fields=list_of("Its fields", field),
    )  # fmt: skip
    return object_of(
        "The official forms whose fields the pack covers", ("forms",), forms=list_of("The forms", form)
    )
