"""One object of each kind for an owner, made by the program's own code where that is short: what the matrix is tried on.

``KINDS[kind](world, owner)`` makes the object that ``owner`` holds. It returns what stands for it in the address and, under ROW,
the row that a press of a button changes: whoever is sent on without a change was not let in. Add a kind here when a new page
shows something that belongs to somebody, and say in ``authorisation.yaml`` under ``objects`` how far each role reaches.
"""

from __future__ import annotations

from objects import matters, papers, people, records
from objects.base import KINDS, ROW
from objects.world import make_world

__all__ = ["KINDS", "ROW", "make_world", "matters", "papers", "people", "records"]
