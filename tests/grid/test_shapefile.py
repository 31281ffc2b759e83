"""A city agency hands out its zones as a shapefile: read, or refused with what to do."""

import struct

import pytest
import shapely

from chengshu.batch.shapefile import read_shapefile
from chengshu.kernel.problems import Problem

SQUARE = [(0, 0), (0, 4), (4, 4), (4, 0), (0, 0)]  # clockwise: an outer ring
HOLE = [(1, 1), (2, 1), (2, 2), (1, 2), (1, 1)]
FAR = [(8, 8), (8, 9), (9, 9), (9, 8), (8, 8)]


def write(folder, shapes, names, *, kind=5, encoding="utf-8", projection=""):
    """Write a shapefile by the published layout; a shape is a list of rings."""
    body = b""
    for number, rings in enumerate(shapes, start=1):
        points = [point for ring in rings for point in ring]
        starts = [sum(len(ring) for ring in rings[:at]) for at in range(len(rings))]
        record = struct.pack("<i4d2i", kind, 0, 0, 9, 9, len(rings), len(points))
        record += struct.pack(f"<{len(starts)}i", *starts) + b"".join(struct.pack("<2d", *p) for p in points)
        body += struct.pack(">2i", number, len(record) // 2) + record
    header = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, 50 + len(body) // 2)
    header += struct.pack("<2i8d", 1000, kind, 0, 0, 9, 9, 0, 0, 0, 0)
    path = folder / "zones.shp"
    path.write_bytes(header + body)
    field = b"NAME".ljust(11, b"\0") + b"C" + bytes(4) + bytes([20]) + bytes(15)
    rows = b"".join(b" " + name.encode(encoding).ljust(20) for name in names)
    table = struct.pack("<B3BIHH20x", 3, 126, 1, 1, len(names), 65, 21) + field + b"\r" + rows
    path.with_suffix(".dbf").write_bytes(table)
    if projection:
        path.with_suffix(".prj").write_text(projection)
    return path


def test_polygons_come_with_their_attributes(tmp_path):
    (shape,) = read_shapefile(write(tmp_path, [[SQUARE]], ["新安"]))
    assert shape.attributes == {"NAME": "新安"} and shape.polygon.area == 16


def test_holes_and_parts_are_kept(tmp_path):
    (shape,) = read_shapefile(write(tmp_path, [[SQUARE, HOLE, FAR]], ["x"]))
    assert shape.polygon.area == 16 - 1 + 1 and len(shapely.get_parts(shape.polygon)) == 2


def test_names_in_gbk_are_read(tmp_path):
    (shape,) = read_shapefile(write(tmp_path, [[SQUARE]], ["西乡街道"], encoding="gb18030"))
    assert shape.attributes["NAME"] == "西乡街道"


def test_a_projected_file_is_refused_with_what_to_do(tmp_path):
    path = write(tmp_path, [[SQUARE]], ["x"], projection='PROJCS["CGCS2000_3_Degree_GK_CM_114E"]')
    with pytest.raises(Problem, match="4490"):
        read_shapefile(path)


def test_a_file_cut_short_is_refused_with_the_shape(tmp_path):
    path = write(tmp_path, [[SQUARE], [FAR]], ["x", "y"])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Problem) as refused:
        read_shapefile(path)
    assert refused.value.where.row == 2


@pytest.mark.parametrize("content", [b"", b"not a shapefile" * 20])
def test_what_is_no_shapefile_is_refused(tmp_path, content):
    path = tmp_path / "zones.shp"
    path.write_bytes(content)
    with pytest.raises(Problem, match="cannot be read"):
        read_shapefile(path)


def test_points_are_not_taken_for_zones(tmp_path):
    path = write(tmp_path, [[SQUARE]], ["x"], kind=1)
    with pytest.raises(Problem, match="not polygons"):
        read_shapefile(path)


def test_as_many_rows_as_shapes(tmp_path):
    with pytest.raises(Problem, match="2 rows"):
        read_shapefile(write(tmp_path, [[SQUARE]], ["x", "y"]))
