"""A small real district for cases, and both packs loaded."""

from __future__ import annotations

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.procedure.ports import registry
from tests_support.casework import CELL, MONDAY, firm_facts, make_cells, make_staff


@pytest.fixture
def corrected(monkeypatch):
    """What the effect correct_fact was asked for; subjects answers it in a running installation."""
    seen = []

    def handler(request):
        seen.append(request)
        return {"correction": len(seen)}

    monkeypatch.setitem(registry.effect_handlers, "correct_fact", handler)
    return seen


@pytest.fixture
def district(db, corrected, request):
    # Checking all packs that ship takes longer than most tests: only the tests of packs load them.
    if request.path.name.startswith(("test_pack_", "test_pages_", "test_lists_")):
        cases.load_shipped(MONDAY)
    else:
        for pack in ("grid-verification", "department-finding"):
            cases.need_shipped(pack, MONDAY)
    make_cells()
    return make_staff()


@pytest.fixture
def opened(district):
    """A firm's address is in doubt in the worker's cell."""
    return cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="finding:1", now=MONDAY
    )
