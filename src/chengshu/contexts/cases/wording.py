"""Turns names into words: choices by their labels, dates and numbers as they are, personal values only if they may be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from chengshu.contexts.cases import packs
from chengshu.contexts.cases.domain import Ground
from chengshu.contexts.cases.models import Case
from chengshu.kernel.money import hundredths, in_yuan
from chengshu.procedure.formats import HUNDREDTHS
from chengshu.procedure.model import Pack
from chengshu.procedure.types import Type

LANGUAGES = ("zh", "en")
EMPTY = "—"
NO_CELL = {"zh": "（未定）", "en": "(none yet)"}


def both(pack: Pack, key: str) -> dict[str, str]:
    """Return a text of a pack in both languages."""
    return {language: pack.text(key, language) for language in LANGUAGES}


def sayer(
    pack: Pack,
    language: str,
    facts: Mapping[str, Any],
    data: Mapping[str, Any],
    actor: str,
    decided: Mapping[str, Any],
    cell: str = "",
    news: Mapping[str, str] | None = None,
) -> Callable[[str], Any]:
    """Return a function from a slot of a text to what stands there; ``None`` shows as a bar."""
    buckets = {"facts": facts, "data": data, "decided": decided}

    def value_of(name: str) -> Any:
        if name == "actor":
            return actor
        if name == "cell":
            return cell or NO_CELL[language]
        if name in ("part", "part_state") and news:
            return part_words(pack, news, language)[name]
        bucket, _, key = name.partition(".")
        known = buckets.get(bucket, {})
        value = known.get(key)
        if isinstance(value, str):
            return pack.text(f"choices.{key}.{value}", language) or value
        if value is None and key in known:
            # Nobody filled it in: that is not the same as a value that is withheld or erased.
            return EMPTY
        if isinstance(value, int):
            if key in hundredth_names(pack):
                return hundredths(value)
            return in_yuan(value)[language] if name in money_names(pack) else value
        return None

    return value_of


_money_names: dict[str, frozenset[str]] = {}
_hundredth_names: dict[str, frozenset[str]] = {}


def money_names(pack: Pack) -> frozenset[str]:
    """Return the names whose values are money: the engine keeps fen, people read yuan.

    Dotted (``facts.fee``, ``case.fee``, ``fields.fee``), and bare where no number that is not money has the name.
    """
    if pack.hash not in _money_names:
        kinds: dict[str, set[str]] = {}
        for bucket, name, type_ in _typed(pack):
            for key in (f"{bucket}.{name}", name):
                kinds.setdefault(key, set()).add(type_.kind)
        _money_names[pack.hash] = frozenset(
            key for key, found in kinds.items() if "money" in found and "integer" not in found
        )
    return _money_names[pack.hash]


def hundredth_names(pack: Pack) -> frozenset[str]:
    """Return the bare names of fields and columns that are kept in hundredths wherever a form has them."""
    if pack.hash not in _hundredth_names:
        fields = [item for _, given in pack.fields() for item in given.values()]
        fields += [column for item in fields for column in item.columns.values()]
        others = {item.name for item in fields if item.format != HUNDREDTHS}
        _hundredth_names[pack.hash] = frozenset(item.name for item in fields) - others
    return _hundredth_names[pack.hash]


def _typed(pack: Pack) -> Iterator[tuple[str, str, Type]]:
    """Yield bucket, name and type of everything that texts and effects name."""
    fields = [("facts", item) for item in pack.facts.values()]
    fields += [("data", item) for form in pack.forms.values() for item in form.fields.values()]
    for bucket, item in fields:
        yield bucket, item.name, item.type
        yield from ((f"{bucket}.{item.name}", name, column.type) for name, column in item.columns.items())
    for name, kept in pack.keeps.items():
        yield "case", name, kept
    for table in pack.tables.values():
        yield from (("decided", name, type_) for name, type_ in table.outputs.items())
    for step in (pack.opening, *pack.transitions):
        for effect in step.effects:
            for given in effect.params.values():
                if isinstance(given, Mapping):
                    yield from (("fields", name, value.type) for name, value in given.items())


# What became of a part, in words.
PART_STATES = {
    "waiting": {"zh": "等待前项", "en": "waits for others"},
    "open": {"zh": "办理中", "en": "under way"},
    "done": {"zh": "已办结", "en": "done"},
    "refused": {"zh": "未办成", "en": "not granted"},
    "skipped": {"zh": "不需办理", "en": "not needed"},
    "blocked": {"zh": "因前项未办成而未办", "en": "not begun: one before it was not granted"},
}


def part_title(pack: Pack, name: str) -> dict[str, str]:
    """Return what a part or join of a one-thing is called."""
    group = "joins" if pack.parts is not None and name in pack.parts.joins else "parts"
    return both(pack, f"{group}.{name}.title")


def part_words(pack: Pack, news: Mapping[str, str], language: str) -> dict[str, str]:
    """Return how a sentence names a part and what became of it."""
    return {
        "part": part_title(pack, news["part"])[language],
        "part_state": PART_STATES[news["state"]][language],
    }


def ground(pack: Pack, key: str) -> Ground:
    """Return an article as people read it: the citation, and its gist in our own words."""
    return Ground(key, pack.place(key), dict(pack.articles[key].gist))


def grounds(pack: Pack, keys: tuple[str, ...] | list[str]) -> list[Ground]:
    """Return several articles, each once."""
    return [ground(pack, key) for key in dict.fromkeys(keys) if key in pack.articles]


def outcome_words(child_id: str, code: str) -> dict[str, str]:
    """Return how the child's own pack words its outcome."""
    return outcomes_in_words({child_id: code})[child_id]


def outcomes_in_words(ends: Mapping[str, str], known: Iterable[Case] = ()) -> dict[str, dict[str, str]]:
    """Return how the own packs of child cases word their outcomes (child → code); a parent's pack does not know them.

    ``known``: child cases that were read already, with their pack versions.
    """
    runs = {row.pk: (row.pack_version_id, row.pack_version.hash) for row in known}
    if others := ends.keys() - runs.keys():
        asked = Case.objects.filter(pk__in=others)
        for child, *version in asked.values_list("pk", "pack_version_id", "pack_version__hash"):
            runs[child] = (version[0], version[1])
    said = {child: dict.fromkeys(LANGUAGES, code) for child, code in ends.items()}
    for child in ends.keys() & runs.keys():
        pack, code = packs.pinned(*runs[child]).pack, ends[child]
        said[child] = {language: pack.text(f"outcomes.{code}", language) or code for language in LANGUAGES}
    return said


def child_end(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the child case whose end a step's answers tell of, with its outcome; empty when they tell of none."""
    child, code = data.get("child"), data.get("child_outcome")
    return {child: code} if isinstance(child, str) and isinstance(code, str) else {}


def spoken(
    data: Mapping[str, Any], language: str, children: Mapping[str, Mapping[str, str]] | None = None
) -> Mapping[str, Any]:
    """Return a step's answers with the outcome of a child in the words of the child's pack."""
    end = child_end(data)
    if not end:
        return data
    known = outcomes_in_words(end) if children is None else children
    return {**data, "child_outcome": known[next(iter(end))][language]}
