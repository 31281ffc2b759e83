"""What the site asks of the archive."""

from __future__ import annotations

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.archive.making import file_case, folder, make_again, run
from chengshu.contexts.hall.archive.models import ArchivePackage
from chengshu.contexts.hall.archive.using import close_to_use, content_of, due, hand_over

__all__ = [
    "ArchivePackage",
    "close_to_use",
    "content_of",
    "due",
    "file_case",
    "folder",
    "hand_over",
    "make_again",
    "run",
    "wire",
]


def wire() -> None:
    """Hear when a case's personal values are erased."""
    cases.register_on_erase("archive", close_to_use)
