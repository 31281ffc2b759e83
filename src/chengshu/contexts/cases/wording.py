"""Turns names into words: choices by their labels, dates and numbers as they are, personal values only if they may be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chengshu.contexts.cases import packs
from chengshu.contexts.cases.domain import Ground
from chengshu.contexts.cases.models import Case
from chengshu.contexts.cases.shown_values import yuan
from chengshu.procedure.model import Pack

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
        if isinstance(value, int) and name in _money(pack.hash, pack):
            return f"{yuan(value)} {YUAN[language]}"
        return value if isinstance(value, int) else None

    return value_of


YUAN = {"zh": "元", "en": "yuan"}
_money_names: dict[str, frozenset[str]] = {}


def _money(key: str, pack: Pack) -> frozenset[str]:
    """Return the names whose values are money: the engine keeps fen, people read yuan."""
    if key not in _money_names:
        named = [(f"facts.{name}", item.type) for name, item in pack.facts.items()]
        named += [
            (f"data.{name}", item.type) for form in pack.forms.values() for name, item in form.fields.items()
        ]
        named += [
            (f"decided.{name}", type_)
            for table in pack.tables.values()
            for name, type_ in table.outputs.items()
        ]
        _money_names[key] = frozenset(name for name, type_ in named if type_.kind == "money")
    return _money_names[key]


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
    """Return how the child's own pack words its outcome; a parent's pack does not know the child's choices."""
    found = Case.objects.filter(pk=child_id).values_list("pack_version_id", "pack_version__hash").first()
    if found is None:
        return dict.fromkeys(LANGUAGES, code)
    pack = packs.pinned(*found).pack
    return {language: pack.text(f"outcomes.{code}", language) or code for language in LANGUAGES}


def spoken(data: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    """Return a step's answers with the outcome of a child in the words of the child's pack."""
    child, code = data.get("child"), data.get("child_outcome")
    if not isinstance(child, str) or not isinstance(code, str):
        return data
    return {**data, "child_outcome": outcome_words(child, code)[language]}
