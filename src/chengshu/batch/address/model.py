"""What a parsed address is."""

from __future__ import annotations

from dataclasses import dataclass

FIELDS: tuple[str, ...] = (
    "province",
    "city",
    "district",
    "street",
    "community",
    "road",
    "number",
    "estate",
    "building",
    "unit",
    "floor",
    "room",
    "place",
    "division_code",
)
"""The text fields of a parsed address, from the largest to the smallest, in the order of every output."""


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """One address, taken apart. A field is None when it is neither written nor certain to infer.

    Names keep the official form (宝安区, 新安街道), a road its name (创业一路), a number its suffix (12号);
    building, unit, floor and room are written 3栋, 2单元, 5层, 503. ``inferred`` names the fields that
    were completed or corrected rather than written; ``error`` says why nothing could be made of the text.
    """

    province: str | None = None
    city: str | None = None
    district: str | None = None
    street: str | None = None
    community: str | None = None
    road: str | None = None
    number: str | None = None
    estate: str | None = None
    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None
    place: str | None = None
    division_code: str | None = None
    inferred: tuple[str, ...] = ()
    error: str | None = None
    renamed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, str | list[str] | dict[str, str] | None]:
        """Return the address as a JSON object, fields in their fixed order."""
        row: dict[str, str | list[str] | dict[str, str] | None] = {
            name: getattr(self, name) for name in FIELDS
        }
        row["inferred"] = list(self.inferred)
        row["renamed"] = dict(part.split("=", 1) for part in self.renamed)
        row["error"] = self.error
        return row
