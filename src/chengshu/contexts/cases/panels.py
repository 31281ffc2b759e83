"""What contexts above add to the page of a case: certificates, documents, notices. ``site/wiring.py`` registers them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from chengshu.contexts.identity.api import Account


@dataclass(frozen=True, slots=True)
class CasePanelLine:
    """One thing that hangs on a case. ``tone``: good, warn, bad, info, wait or plain; ``url`` leads to its page."""

    title: Mapping[str, str]
    text: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    state: Mapping[str, str] = field(default_factory=dict)
    tone: str = "plain"


Gather = Callable[[str, Account, dt.datetime], Sequence[CasePanelLine]]
_panels: dict[str, Gather] = {}


def register_panel(name: str, gather: Gather) -> None:
    """Let a context add lines to the pages of cases; a name is taken once."""
    _panels[name] = gather


def panel_lines(case_id: str, viewer: Account, now: dt.datetime) -> list[CasePanelLine]:
    """Return everything that hangs on a case, in the order of registration."""
    return [line for gather in _panels.values() for line in gather(case_id, viewer, now)]


# (digests of the files that are shown, viewer, now) → digest → what is said beside it.
FileNotes = Callable[[Collection[str], Account, dt.datetime], Mapping[str, Sequence[CasePanelLine]]]
_file_notes: dict[str, FileNotes] = {}


def register_file_notes(name: str, gather: FileNotes) -> None:
    """Let a context say something beside the files of a case: whose signature a paper bears."""
    _file_notes[name] = gather


def notes_on_files(
    digests: Collection[str], viewer: Account, now: dt.datetime
) -> dict[str, list[CasePanelLine]]:
    """Return what is said beside each of these files; nobody is asked where there are none."""
    found: dict[str, list[CasePanelLine]] = {}
    for gather in _file_notes.values() if digests else ():
        for digest, lines in gather(digests, viewer, now).items():
            found.setdefault(digest, []).extend(lines)
    return found
