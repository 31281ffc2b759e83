"""Golden days that stand bare: a date that nobody can count again is a date that was copied from the machine."""

from __future__ import annotations

from collections.abc import Iterator

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Mapped
from chengshu.procedure.files import PackFiles
from chengshu.procedure.golden import golden_sheets

_REMEDY = (
    'count it by hand and write how, such as because: "rule:3, five working days: Mon 23 Nov is not counted; '
    '24 to 27 and Mon 30 Nov"'
)


def bare_days(files: PackFiles) -> list[Problem]:
    """Return a warning for each ``due:`` of a golden case that has no ``because:``; the pack loads all the same."""
    return [
        Problem(
            "golden-bare",
            f"The day of the term {name} is expected without its arithmetic",
            detail=str(term["due"]), remedy=_REMEDY, where=Where(file=file, line=line), status=422,
        )
        for file, line, name, term in _terms(files)
        if "due" in term and not str(term.get("because") or "").strip()
    ]  # fmt: skip


def _terms(files: PackFiles) -> Iterator[tuple[str, int, str, Mapped]]:
    """Return file, line, name and body of every term that a golden case expects; what is malformed is told elsewhere."""
    for sheet in golden_sheets(files)[0]:
        then = sheet.data.get("then")
        terms = then.get("terms") if isinstance(then, Mapped) else None
        for name, term in terms.items() if isinstance(terms, Mapped) else ():
            if isinstance(term, Mapped):
                yield sheet.file, term.lines.get("due", term.line), str(name), term
