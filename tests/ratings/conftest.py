"""People of a service hall: two residents, a department, the hotline centre, an operator, a clerk; three packs loaded."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from tests_support.casework import MONDAY, make_cells
from tests_support.hall_people import make_people

PACKS = ("citizen-hotline", "rating-return-visit", "childbirth-subsidy")


@pytest.fixture
def people(db) -> SimpleNamespace:
    for pack in PACKS:
        cases.need_shipped(pack, MONDAY)
    make_cells()
    return make_people(identity)
