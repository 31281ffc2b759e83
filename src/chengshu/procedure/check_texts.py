"""Texts: each thing that people see has its words in both languages, and words mention only what exists."""

from __future__ import annotations

from collections.abc import Iterator

from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import Pack
from chengshu.procedure.sheets import Faults
from chengshu.procedure.wording import flatten, slots

# What any sentence may mention besides facts, answers and decided values.
ALWAYS = {"actor", "cell"}


def check_texts(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note missing and surplus texts, and names between braces that nothing fills."""
    wanted, optional = {*_wanted(pack)}, {*_optional(pack)}
    notices = set(_notices(pack))
    mentions = _mentions(pack)
    for language, texts in pack.texts.items():
        file = files.name(f"texts/{language}.yaml")
        flat = flatten(texts)
        for key in sorted(wanted | notices):
            if not isinstance(flat.get(key), str) or not flat[key].strip():
                faults.add("text-missing", f"The text {key!r} is missing", file, None, remedy=f"add {key}")
        for key in sorted(set(flat) - wanted - notices - optional):
            faults.add("text-unknown", f"Nothing shows the text {key!r}", file, _line(files, language, key))
        for key, text in flat.items():
            for name in slots(str(text)):
                if name not in mentions:
                    line = _line(files, language, key)
                    faults.add(
                        "text-slot", f"The text {key!r} mentions {{{name}}}, which nothing fills", file, line
                    )


def _wanted(pack: Pack) -> Iterator[str]:
    yield from ("title", "case", "sentences.opened")
    for group, names in (
        ("states", pack.states),
        ("commands", pack.commands()),
        ("sentences", [step.id for step in pack.transitions]),
        ("terms", pack.deadlines),
        ("roles", pack.roles),
        ("outcomes", [state.outcome for state in pack.states.values() if state.final]),
    ):
        yield from (f"{group}.{name}" for name in names)
    for fields in (pack.facts, *(form.fields for form in pack.forms.values())):
        for name, item in fields.items():
            yield f"fields.{name}.label"
            yield from (f"choices.{name}.{choice}" for choice in item.type.choices)


def _optional(pack: Pack) -> Iterator[str]:
    yield from ("summary", "reason")
    for name in pack.commands():
        yield f"help.{name}"
    for fields in (pack.facts, *(form.fields for form in pack.forms.values())):
        for name in fields:
            yield f"fields.{name}.help"
    for name, fact in pack.facts.items():
        for choice in fact.type.choices:
            yield f"reasons.{name}.{choice}"
    for table in pack.tables.values():
        for row in table.rows:
            yield f"rows.{table.id}.{row.id}"
        for name, type_ in table.outputs.items():
            for choice in type_.choices:
                yield f"choices.{name}.{choice}"


def _notices(pack: Pack) -> Iterator[str]:
    for step in (pack.opening, *pack.transitions):
        for effect in step.effects:
            text = effect.params.get("text") if effect.name == "notify" else None
            if text is not None and not isinstance(text, dict):
                constant = getattr(text, "constant", None)
                yield f"notices.{constant}"


def _mentions(pack: Pack) -> set[str]:
    found = set(ALWAYS)
    found |= {f"facts.{name}" for name in pack.facts}
    found |= {f"data.{name}" for form in pack.forms.values() for name in form.fields}
    found |= {f"decided.{name}" for table in pack.tables.values() for name in table.outputs}
    return found


def _line(files: PackFiles, language: str, key: str) -> int | None:
    word = f"{key.rsplit('.', 1)[-1]}:"
    for number, line in enumerate(files.texts[f"texts/{language}.yaml"].splitlines(), 1):
        if line.strip().startswith(word):
            return number
    return None
