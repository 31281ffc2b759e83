"""Texts: each thing that people see has its words in both languages, and words mention only what exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chengshu.kernel.strict_yaml import Mapped, parse_yaml
from chengshu.procedure.check_effects import effects_of, words_of
from chengshu.procedure.expressions import Expression
from chengshu.procedure.files import PackFiles
from chengshu.procedure.model import Effect, Pack
from chengshu.procedure.parts import Part
from chengshu.procedure.sheets import Faults
from chengshu.procedure.wording import flatten, slots

# What any sentence may mention besides facts, answers and decided values.
ALWAYS = {"actor", "cell"}


def check_texts(pack: Pack, files: PackFiles, faults: Faults) -> None:
    """Note missing and surplus texts, and names between braces that nothing fills."""
    wanted, optional = {*_wanted(pack), *_of_effects(pack)}, {*_optional(pack)}
    mentions, public, codes = _mentions(pack), _public_mentions(pack), _codes(pack)
    for language, texts in pack.texts.items():
        file = files.name(f"texts/{language}.yaml")
        flat, lines = flatten(texts), _Lines(files, language)
        for key in sorted(wanted):
            if not isinstance(flat.get(key), str) or not flat[key].strip():
                faults.add(
                    "text-missing",
                    f"The text {key!r} is missing",
                    file,
                    lines.of(key),
                    remedy=f"add {key}",
                )
        for key in sorted(set(flat) - wanted - optional):
            if key.startswith(codes):
                continue
            faults.add("text-unknown", f"Nothing shows the text {key!r}", file, lines.of(key))
        for key, text in flat.items():
            allowed = public if key.startswith("public.") else mentions
            for name in slots(str(text)):
                if name not in allowed:
                    hidden = name in mentions
                    code = "privacy" if hidden else "text-slot"
                    why = (
                        "which is personal: publish it by fields: of the effect"
                        if hidden
                        else "which nothing fills"
                    )
                    title = f"The text {key!r} mentions {{{name}}}, {why}"
                    faults.add(code, title, file, lines.of(key))


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
    for section in pack.sections:
        yield f"sections.{section.id}"
    yield from (f"{key}.title" for key in _part_keys(pack))
    for _, fields in pack.fields():
        for name, item in fields.items():
            yield f"fields.{name}.label"
            yield from (f"choices.{name}.{choice}" for choice in item.type.choices)
            if item.check is not None:
                yield f"fields.{name}.check"
            for column in item.columns.values():
                yield f"fields.{name}.columns.{column.name}"
                yield from (f"choices.{column.name}.{choice}" for choice in column.type.choices)


def _part_keys(pack: Pack) -> Iterator[str]:
    for part in pack.parts or ():
        yield f"{'parts' if isinstance(part, Part) else 'joins'}.{part.id}"


def _optional(pack: Pack) -> Iterator[str]:
    yield from ("about", "summary", "reason")
    yield from (f"{key}.about" for key in _part_keys(pack))
    yield from (f"help.{name}" for name in pack.commands())
    yield from (f"fields.{name}.help" for _, fields in pack.fields() for name in fields)
    yield from (f"documents.{name}" for name in pack.templates)
    for name, fact in pack.facts.items():
        yield from (f"reasons.{name}.{choice}" for choice in fact.type.choices)
    for table in pack.tables.values():
        yield from (f"{group}.{table.id}.{row.id}" for group in ("rows", "passed") for row in table.rows)
        for name, type_ in table.outputs.items():
            yield from (f"choices.{name}.{choice}" for choice in type_.choices)
    for effect in effects_of(pack):
        yield from _optional_of(effect)


def _codes(pack: Pack) -> tuple[str, ...]:
    """Where a case that another one opens has words for codes: the choice itself is declared by the pack that opens it."""
    if pack.offered:
        return ()
    return tuple(f"choices.{name}." for name, fact in pack.facts.items() if fact.type.kind == "text")


def _optional_of(effect: Effect) -> Iterator[str]:
    for group, param in (("registers", "register"), ("certificates", "type")):
        yield from (f"{group}.{word}" for word in words_of(effect, param))
    # What the parts of a notice, an entry or a certificate are called.
    for param in ("fields", "claims"):
        value = effect.params.get(param)
        if value is not None and not isinstance(value, Expression):
            yield from (f"claims.{name}" for name in value)


def _of_effects(pack: Pack) -> Iterator[str]:
    for effect in effects_of(pack):
        if effect.name == "notify":
            yield from (f"notices.{word}" for word in words_of(effect, "text"))
        elif effect.name == "send_message":
            for word in words_of(effect, "text"):
                yield from (f"messages.{word}.subject", f"messages.{word}.body")
        elif effect.name == "publish_notice":
            for word in words_of(effect, "kind"):
                yield from (f"public.{word}.title", f"public.{word}.body")


def _mentions(pack: Pack) -> set[str]:
    found = set(ALWAYS)
    found |= {f"facts.{name}" for name in pack.facts}
    found |= {f"data.{name}" for form in pack.forms.values() for name in form.fields}
    found |= {f"decided.{name}" for table in pack.tables.values() for name in table.outputs}
    found |= {f"case.{name}" for name in pack.keeps}
    if pack.parts is not None:
        found |= {"part", "part_state"}
    return found


def _public_mentions(pack: Pack) -> set[str]:
    """What the text of a public notice may mention: nothing personal, but what its effect publishes."""
    found = {"title", "until"} | {f"case.{name}" for name in pack.keeps}
    found |= {f"facts.{name}" for name, item in pack.facts.items() if not item.type.personal}
    for effect in effects_of(pack):
        fields = effect.params.get("fields")
        if effect.name == "publish_notice" and fields is not None and not isinstance(fields, Expression):
            found |= {f"fields.{name}" for name in fields}
    return found


class _Lines:
    """Where the keys of a texts file stand; the file is read again only when there is something to say."""

    def __init__(self, files: PackFiles, language: str) -> None:
        self.text = files.texts.get(f"texts/{language}.yaml")
        self.data: Any = None

    def of(self, key: str) -> int | None:
        """Return the line of a key, or of the mapping in which it is missing."""
        if self.text is None:
            return None
        if self.data is None:
            self.data = parse_yaml(self.text)
        node, line = self.data, 1
        for part in key.split("."):
            if not isinstance(node, Mapped) or part not in node:
                break
            node, line = node[part], node.lines[part]
        return line
