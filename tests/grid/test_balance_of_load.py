"""An operator asks which cells to split and which to merge."""

import numpy as np
import pytest
import shapely
from shapely.geometry import box

from chengshu.batch.balance import CellLoad, balance
from chengshu.batch.grid import Load, split_polygon


def cell(code, west, residents, rented=0, zone="Z1"):
    return CellLoad(code, zone, box(west, 0, west + 1, 1), residents, rented)


def test_a_cell_of_twice_the_load_is_proposed_to_be_split_in_two():
    (proposal,) = balance([cell("Z1-001", 0, 2100), cell("Z1-002", 1, 900)])
    assert (proposal.kind, proposal.cells, proposal.parts) == ("split", ("Z1-001",), 2)


def test_rented_homes_count_as_well_as_residents():
    (proposal,) = balance([cell("Z1-001", 0, 10, rented=1600)])
    assert proposal.parts == 3


def test_two_nearly_empty_neighbours_are_proposed_to_merge():
    (proposal,) = balance([cell("Z1-001", 0, 100), cell("Z1-002", 1, 300), cell("Z1-003", 2, 900)])
    assert (proposal.kind, proposal.cells) == ("merge", ("Z1-001", "Z1-002"))


def test_cells_that_do_not_share_a_border_or_a_zone_are_not_merged():
    assert balance([cell("Z1-001", 0, 100), cell("Z1-002", 5, 100), cell("Z2-001", 6, 100, zone="Z2")]) == []


def test_a_merge_never_makes_a_cell_fuller_than_the_target():
    assert balance([cell("Z1-001", 0, 340), cell("Z1-002", 1, 700)]) == []


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_a_split_gives_parts_of_like_load_that_fill_the_cell(parts):
    rng = np.random.default_rng(2)
    lon, lat = rng.random(4000) ** 2 * 0.01, rng.random(4000) * 0.01
    load = Load(lon, lat, np.full(4000, 2.0), np.zeros(4000))
    pieces = split_polygon(box(0, 0, 0.01, 0.01), load, parts)
    held = [int(shapely.contains_xy(piece, lon, lat).sum()) for piece in pieces]
    assert len(pieces) == parts and min(held) > 0.85 * 4000 / parts
    assert sum(piece.area for piece in pieces) == pytest.approx(0.01**2, rel=1e-9)


def test_an_empty_cell_can_still_be_split_by_area():
    nothing = Load(*(np.zeros(0) for _ in range(4)))
    pieces = split_polygon(box(0, 0, 0.02, 0.01), nothing, 2)
    assert [round(piece.area * 1e4, 6) for piece in pieces] == [1.0, 1.0]
