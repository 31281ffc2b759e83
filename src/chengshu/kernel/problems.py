"""One error shape for files, commands, pages and API: a problem says what is wrong, where, and what to do.

The wire form is RFC 9457 (problem details for HTTP APIs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TYPE_BASE = "https://chengshu.example/problems/"


@dataclass(frozen=True, slots=True)
class Where:
    """Where a problem was found. Lines and rows count from 1; a row counts data rows, without the header."""

    file: str | None = None
    line: int | None = None
    row: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        parts = [self.file or ""]
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.field:
            parts.append(f"field {self.field}")
        return ", ".join(part for part in parts if part)


class Problem(Exception):
    """An error that a person can act on.

    ``code`` is stable and kebab-case (``address-library-missing``); ``title`` is one sentence; ``detail`` is
    this occurrence; ``remedy`` says what to do; ``status`` is the HTTP status it maps to.
    """

    def __init__(
        self,
        code: str,
        title: str,
        *,
        detail: str = "",
        remedy: str = "",
        where: Where | None = None,
        status: int = 400,
        **extra: Any,
    ) -> None:
        super().__init__(title)
        self.code, self.title, self.detail, self.remedy = code, title, detail, remedy
        self.where, self.status, self.extra = where, status, extra

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where and str(self.where) else ""
        text = f"{place}{self.title}"
        if self.detail:
            text += f" ({self.detail})"
        if self.remedy:
            text += f" → {self.remedy}"
        return text

    def to_dict(self, instance: str | None = None) -> dict[str, Any]:
        """Return the RFC 9457 object; members that are empty are left out."""
        body: dict[str, Any] = {"type": TYPE_BASE + self.code, "title": self.title, "status": self.status}
        optional = {"detail": self.detail, "remedy": self.remedy, "instance": instance, "code": self.code}
        body.update({key: value for key, value in optional.items() if value})
        if self.where:
            body["where"] = {
                name: value
                for name in ("file", "line", "row", "field")
                if (value := getattr(self.where, name)) is not None
            }
        body.update(self.extra)
        return body
