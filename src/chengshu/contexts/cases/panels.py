"""What contexts above add to the page of a case: certificates, documents, notices. ``site/wiring.py`` registers them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
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
