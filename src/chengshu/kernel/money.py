"""Money, and other numbers with two decimals, as people read them: they are kept as whole fen, or hundredths."""

from __future__ import annotations

FEN_A_YUAN = 100


def yuan(fen: int) -> str:
    """Write fen as yuan with separators: 123450 → ``1,234.50``."""
    return _written(fen, ",")


def bare_yuan(fen: int) -> str:
    """Write fen as yuan for a column or a form field, without separators: 123450 → ``1234.50``."""
    return _written(fen, "")


def hundredths(number: int) -> str:
    """Write a number that is kept in whole hundredths, such as an average of scores: 8550 → ``85.50``."""
    return _written(number, "")


def in_yuan(fen: int) -> dict[str, str]:
    """Return fen with its unit, in both languages."""
    return {"zh": f"{yuan(fen)} 元", "en": f"{yuan(fen)} yuan"}


def _written(fen: int, separator: str) -> str:
    sign, whole = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{whole // FEN_A_YUAN:{separator}}.{whole % FEN_A_YUAN:02d}"
