"""The shapes that the schemas of pack files are made of."""

from __future__ import annotations

from typing import Any

from chengshu.procedure.sheets import NAME

Schema = dict[str, Any]


def text_of(description: str, **more: Any) -> Schema:
    """Return the shape of a text."""
    return {"type": "string", "description": description, **more}


def day(description: str) -> Schema:
    """Return the shape of a day."""
    return {"type": "string", "format": "date", "description": description}


def word(description: str, words: tuple[str, ...]) -> Schema:
    """Return the shape of one of some words."""
    return {"enum": [each for each in words if each], "description": description}


def flag(description: str, *, default: bool = False) -> Schema:
    """Return the shape of true or false."""
    return {"type": "boolean", "default": default, "description": description}


def names(description: str) -> Schema:
    """Return the shape of a list of names."""
    return {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "description": description}


def expression(description: str) -> Schema:
    """Return the shape of an expression."""
    return {"type": ["string", "boolean", "integer"], "description": f"{description} (an expression)"}


def object_of(description: str, needed: tuple[str, ...], /, **properties: Schema) -> Schema:
    """Return the shape of a mapping of fixed keys."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }


def map_of(description: str, of: Schema) -> Schema:
    """Return the shape of a mapping of freely chosen names."""
    return {
        "type": "object",
        "description": description,
        "propertyNames": {"pattern": NAME.pattern},
        "additionalProperties": of,
    }


def list_of(description: str, of: Schema) -> Schema:
    """Return the shape of a list."""
    return {"type": "array", "description": description, "items": of}


CITE = names("The articles that this rests on, as keys such as law:12.1 (article 12, paragraph 1)")
BOTH = object_of("In both languages", ("zh", "en"), zh=text_of("Chinese"), en=text_of("English; unofficial"))
TERM = text_of(
    "A length: 10 workdays, 30 days, 3 months, 1 year, 24 hours or at once",
    examples=["10 workdays", "3 months"],
)
