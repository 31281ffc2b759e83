"""The reference page of the pack language, made from the code: `python -m chengshu.procedure.reference`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chengshu.procedure.fault_codes import FIELDS, LOADING, PLAYING, RUNNING
from chengshu.procedure.ports import EffectSpec, Registry, built_in
from chengshu.procedure.read_forms import BUILT_IN
from chengshu.procedure.schema_shapes import Schema
from chengshu.procedure.schemas import FILES, schemas
from chengshu.procedure.syntax import FUNCTIONS, MAX_NODES, MAX_SOURCE
from chengshu.procedure.types import Type

_FUNCTIONS = {
    "abs": ("abs(n)", "n without its sign"),
    "add_row": ("add_row(rows, 'column', value, …)", "the rows with one more at their end"),
    "birth_by_id": (
        "birth_by_id(number)",
        "the day of birth that an identity number tells; empty where it is none",
    ),
    "ceil": ("ceil(n / 3)", "the quotient, rounded up"),
    "contains": ("contains(list or text, word)", "whether the list holds the word, or the text the letters"),
    "date": ("date('2026-11-21')", "a written day"),
    "days_between": (
        "days_between(from, to)",
        "the days from one day to the other; negative when it lies before",
    ),
    "ended_as": ("ended_as('outcome')", "how many child cases have ended so"),
    "endsWith": ("endsWith(text, end)", "whether the text ends so"),
    "floor": ("floor(n / 3)", "the quotient, rounded down"),
    "full_years": ("full_years(from, to)", "completed years, as ages are counted"),
    "greatest": ("greatest(a, b, …)", "the greatest of numbers, or the last of days"),
    "least": ("least(a, b, …)", "the least of numbers, or the first of days"),
    "len": ("len(list)", "how many items; rows, texts, files, accounts"),
    "minus": ("minus(day, '1 month')", "the day so long before, by the Civil Code's rule for missing days"),
    "plus": ("plus(day, '3 years')", "the day so long after; the length may be a parameter of type text"),
    "ranked": (
        "ranked(rows, 'column')",
        "the rows, greatest first; equal ones keep their order, empty ones come last",
    ),
    "round": ("round(n / 3)", "the quotient, rounded"),
    "sex_by_id": (
        "sex_by_id(number)",
        "male or female, as the seventeenth place of an identity number says; unknown where it is none",
    ),
    "startsWith": ("startsWith(text, start)", "whether the text starts so"),
    "sum": ("sum(rows, 'column')", "the column added up; empty cells count 0"),
    "top": ("top(rows, 'column', n)", "the first n of the ranked rows"),
    "workdays_after": ("workdays_after(day, n)", "the n-th working day after a day, by the loaded calendar"),
}
_NAMES = {
    "facts.*": "what the case was opened with",
    "data.*": "the command's answers (in a form: those before)",
    "case.*": "what the case keeps",
    "decided.*": "outputs of the step's decision tables",
    "parameters.*": "dated values, of the day",
    "item, item.*": "in an effect with for_each: the item, or a column of it",
    "today": "the legal day, in Asia/Shanghai",
    "opened_on": "the day of the opening",
    "actor.id": "who acts",
    "actor.name": "the actor's name",
    "children.open": "child cases that have not ended; in the step that tells of an end, that one has",
    "children.ended": "child cases that have",
    "part.<id>": "what became of a part: waiting, open, done, refused, skipped (not wanted) or blocked (one before it was "
    "refused)",
    "parts.waiting, parts.open, parts.done, parts.refused, parts.left": "how many parts stand so; blocked ones count as "
    "refused, left are waiting and open ones together",
}
_HEAD = """\
# The pack language

Made from the code by `python -m chengshu.procedure.reference`; do not edit. How to write a pack, step by step:
[From regulation to service in an hour](../tutorial/regulation-to-service.md). Why it is so:
[decision 0009](../decisions/0009-pack-language.md).

A pack is a folder of UTF-8 files in YAML 1.2: no anchors, aliases, tags or directives, one document a file, no key twice.
`chengshu pack new DIR` writes a small working one; the first line of each file names its JSON Schema
(`chengshu pack schema --out DIR`, also in `schemas/`), so that an editor completes and checks while you type.

| command | what it does |
|---|---|
| `chengshu pack new DIR` | write a small working pack with comments |
| `chengshu pack check DIR` | every fault with file, line and what to do; article coverage |
| `chengshu pack test DIR` | play the golden cases; name what none goes through; try every step that nothing allows |
| `chengshu pack mutate DIR` | take away each element that cites an article; a golden case must fail |
| `chengshu pack show DIR` | states, steps, terms, grounds; diagram as Mermaid, or `--svg FILE` |
| `chengshu pack report DIR` | the articles: what executes each, which are exempt and why |
| `chengshu pack diff OLD NEW` | two versions compared in words, Chinese or English |
| `chengshu pack load DIR` | make it the version under which new cases are opened |

A one-thing is a pack with `parts.yaml`: one questionnaire, child cases of other packs that open in their order, one progress,
one result package. Golden cases say what the parts tell (`part: hukou, state: registered, with: {…}`), and each part must be
seen to open, to end well and to be refused.

A thin pack (`extends`) takes from its base what it does not say: whole files of `states.yaml`, `deadlines.yaml`,
`decisions/`, `parameters/`, `templates/` and `cases/`; key by key `roles`, `facts`, `forms` and texts; `basis`, articles and
sections are appended. The whole is what is hashed and pinned.
"""
_TEXTS = """\
## Texts

`texts/zh.yaml` and `texts/en.yaml` have the same keys: `title`, `case`, `states.<state>`, `outcomes.<outcome>`,
`commands.<command>`, `sentences.opened` and `sentences.<step>`, `terms.<deadline>`, `roles.<role>`, `sections.<section>`,
`fields.<field>.label` and `.check` (where it has one) and `.columns.<column>`, `choices.<field>.<choice>`, `notices.<text>`,
`messages.<text>.subject` and `.body`, `public.<kind>.title` and `.body`. They may have `about`, `summary`, `reason`,
`help.<command>`, `fields.<field>.help`, `reasons.<fact>.<choice>`, `rows.<table>.<row>` and `passed.<table>.<row>` (what is
told of a row that decided, and of one that did not hold), `registers.<register>`, `certificates.<type>`, `claims.<name>`,
`documents.<template>`. A text that is missing, that nothing shows, or that mentions what nothing fills is a fault. Texts under
`public` mention no personal fact.

A one-thing has `parts.<part>.title` and `joins.<join>.title`, and may have `.about` beside them; sentences of the steps that
bring news of parts may mention `{part}` and `{part_state}`.

"""
_EXPRESSIONS = """\
## Expressions

Comparison (`== != < <= > >=`), `and or not`, `+ - *` and `/` by a written number inside `floor`, `ceil` or `round`, `in` and
`not in`, `a ?? b` (b where a is empty), `condition ? a : b`; texts in single quotes; two texts joined by `+`. Every name is
checked. A value that may be empty is asked first (`x != null and …`, `x ?? 0`). Money is whole fen. Nothing else can be
written: no ranges, closures, patterns, clocks or chance. At most {source} characters and {nodes} parts.

"""


def reference(registry: Registry = built_in) -> str:
    """Return the page."""
    parts = [_HEAD]
    made = schemas(registry)
    for file, name in FILES.items():
        if name != "texts":
            title = f"{file}/*.yaml" if "." not in file else file
            parts.append(
                f"## {title}\n\n{made[name]['description']}.\n\n" + "\n".join(_tables(made[name], ""))
            )
    parts += [_TEXTS, _EXPRESSIONS.format(source=MAX_SOURCE, nodes=MAX_NODES)]
    missing = set(BUILT_IN) - set(_NAMES)
    if missing or set(_FUNCTIONS) != FUNCTIONS:
        raise KeyError(f"say what these are: {missing or set(_FUNCTIONS) ^ FUNCTIONS}")
    parts.append(_table(("name", "what it is"), ((f"`{name}`", what) for name, what in _NAMES.items())))
    parts.append(
        _table(("function", "what it gives"), ((f"`{call}`", what) for call, what in _FUNCTIONS.values()))
    )
    parts.append(
        "## Effects\n\nInside: done with the step or not at all. Outside: done afterwards by a job, at least once under one "
        "key.\n\n"
    )
    parts.append(_table(("effect", "parameters", ""), map(_effect, registry.effects.values())))
    parts.append("## Sources of a prefill\n\n")
    parts.append(
        _table(
            ("source", "parameters"),
            ((f"`{name}`", _params(params)) for name, params in registry.sources.items()),
        )
    )
    parts.append("## Error codes\n\n")
    for title, codes in (
        ("When a pack is checked or loaded", LOADING),
        ("When golden cases are played", PLAYING),
        ("When cases run", RUNNING),
        ("In one answer of a form", FIELDS),
    ):
        parts.append(
            f"### {title}\n\n"
            + _table(("code", "meaning"), ((f"`{code}`", codes[code]) for code in sorted(codes)))
        )
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _tables(schema: Schema, path: str) -> Iterator[str]:
    """Yield a table for a mapping of fixed keys, and one for each that lies below."""
    inner: list[tuple[str, Schema]] = []
    if "properties" in schema:
        rows = []
        for key, value in schema["properties"].items():
            needed = "yes" if key in schema.get("required", ()) else ""
            rows.append((f"`{key}`", needed, _kind(value), _said(value)))
            inner.append((f"{path}.{key}" if path else key, value))
        if path:
            yield f"**`{path}`**: {_lower(schema.get('description', ''))}\n"
        yield _table(("key", "needed", "value", "meaning"), rows)
    elif isinstance(schema.get("additionalProperties"), dict):
        inner.append((f"{path}.<name>" if path else "<name>", schema["additionalProperties"]))
    elif isinstance(schema.get("items"), dict):
        inner.append((f"{path}[]", schema["items"]))
    for name, value in inner:
        # `forms.<name>.fields.<name>` takes the same keys as a fact.
        if not name.startswith("forms.<name>.fields.") and not name.endswith(".gist"):
            yield from _tables(value, name)


def _kind(value: Schema) -> str:
    if "enum" in value:
        return " · ".join(f"`{word}`" for word in value["enum"])
    if "anyOf" in value:
        return " or ".join(_kind(part) for part in value["anyOf"])
    kind = value.get("type", "any")
    if kind == ["string", "boolean", "integer"]:
        return "expression"
    if value.get("format") == "date":
        return "day"
    names = {
        "array": "list",
        "object": "mapping",
        "string": "text",
        "integer": "number",
        "boolean": "true or false",
    }
    return str(names.get(kind, kind)) if isinstance(kind, str) else "any"


def _said(value: Schema) -> str:
    said = str(value.get("description", "")).removesuffix(" (an expression)")
    default = value.get("default")
    return said + (f"; `{default}` where left out" if isinstance(default, str) else "")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _effect(spec: EffectSpec) -> tuple[str, str, str]:
    return f"`{spec.name}`", _params(spec.params), "inside" if spec.inside else "outside"


def _params(params: Mapping[str, Type]) -> str:
    return ", ".join(
        f"`{name}`{'?' if type_.optional else ''} {_type(type_)}" for name, type_ in params.items()
    )


def _type(type_: Type) -> str:
    return "/".join(type_.choices) if type_.choices else type_.kind


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
