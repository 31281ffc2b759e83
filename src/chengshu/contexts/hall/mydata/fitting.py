"""Values of records in the form that a pack's field takes: choices by their words, numbers, money, yes and no."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from chengshu.procedure.formats import formatted
from chengshu.procedure.model import Field, Pack
from chengshu.procedure.types import BadValue, check_value

YES, NO = ("是", "true", "1", "yes"), ("否", "false", "0", "no")
FEN = 100


def fitted(pack: Pack, field: Field, value: Any) -> Any:
    """Return a value as the field takes it; ``None`` where it does not fit and must be asked."""
    try:
        plain = _CONVERTED.get(field.type.kind, _as_it_is)(pack, field, value)
        checked = check_value(plain, field.type)
        if checked in (None, "", []):
            return None
        if field.type.kind == "text":
            if len(checked) > field.most:
                return None
            return formatted(field.format, checked) if field.format else checked
    except BadValue:
        return None
    return checked


def _as_it_is(pack: Pack, field: Field, value: Any) -> Any:
    return value


def _text(pack: Pack, field: Field, value: Any) -> Any:
    return value if isinstance(value, str) else str(value)


def _choice(pack: Pack, field: Field, value: Any) -> Any:
    """A record says a choice in words (男), the form by its code (male)."""
    if value in field.type.choices:
        return value
    for choice in field.type.choices:
        words = {pack.text(f"choices.{field.name}.{choice}", language) for language in ("zh", "en")}
        if str(value) in words:
            return choice
    return value


def _texts(pack: Pack, field: Field, value: Any) -> Any:
    """A record lists in one text (灭火器、排烟) what the form has as several choices."""
    if not isinstance(value, str):
        return value
    return [_choice(pack, field, word.strip()) for word in re.split("[、，,;；]", value) if word.strip()]


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise BadValue("a number is expected") from error
    if not number.is_finite():
        raise BadValue("a number is expected")
    return number


def _integer(pack: Pack, field: Field, value: Any) -> Any:
    if isinstance(value, bool):
        raise BadValue("a whole number is expected")
    # Registers measure to the hundredth; a form that asks whole numbers is answered by the nearest one.
    return int(_number(value).to_integral_value())


def _money(pack: Pack, field: Field, value: Any) -> Any:
    # Facts hold fen; a record writes yuan.
    return value if isinstance(value, int) else int((_number(value) * FEN).to_integral_value())


def _boolean(pack: Pack, field: Field, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in YES or text in NO:
        return text in YES
    raise BadValue("yes or no is expected")


_CONVERTED = {
    "text": _text,
    "choice": _choice,
    "texts": _texts,
    "integer": _integer,
    "money": _money,
    "boolean": _boolean,
}
