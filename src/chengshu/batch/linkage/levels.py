"""What is compared, in levels from "the same" down to "otherwise": SQL for Splink, a code and words for people.

m is the probability of a level among records of one subject, u among records of two; log2(m/u) is the level's weight.
The numbers here are starting values: `training` estimates them anew, and a pinned model (`data/*.json`) fixes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Level:
    """One level of a comparison; ``sql`` speaks of columns with _l and _r."""

    code: str
    sql: str
    m: float
    u: float


@dataclass(frozen=True)
class Comparison:
    """Levels in order, the first that holds counts; no value on either side says nothing either way."""

    name: str
    columns: tuple[str, ...]
    levels: tuple[Level, ...]
    missing: str | None = (
        None  # SQL that says that nothing can be said; one of the columns is null unless given
    )
    frequency: str | None = None  # column whose rare values count for more on the first level

    def settings(self) -> dict[str, Any]:
        """Return the comparison as Splink's settings want it."""
        missing = self.missing or " or ".join(f"{one}_l is null or {one}_r is null" for one in self.columns)
        null = {"sql_condition": missing, "label_for_charts": "missing", "is_null_level": True}
        return {
            "output_column_name": self.name,
            "comparison_levels": [null, *(self._level(index) for index in range(len(self.levels)))],
        }

    def _level(self, index: int) -> dict[str, Any]:
        level = self.levels[index]
        body: dict[str, Any] = {
            "sql_condition": level.sql,
            "label_for_charts": level.code,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        if index == 0 and self.frequency:
            body |= {
                "tf_adjustment_column": self.frequency,
                "tf_adjustment_weight": 1.0,
                "tf_minimum_u_value": 1e-6,
            }
        return body

    def with_values(self, values: Mapping[str, tuple[float, float]]) -> Comparison:
        """Return this comparison with other (m, u) by level code."""
        levels = tuple(replace(one, m=values[one.code][0], u=values[one.code][1]) for one in self.levels)
        return replace(self, levels=levels)


@dataclass(frozen=True)
class Model:
    """A linkage model: comparisons with their numbers and the prior that two records at random are one."""

    kind: str
    version: str
    prior: float
    comparisons: tuple[Comparison, ...]

    def settings(self) -> dict[str, Any]:
        """Return Splink's settings for scoring pairs that were blocked by us."""
        return {
            "link_type": "dedupe_only",
            "unique_id_column_name": "row",
            "probability_two_random_records_match": self.prior,
            "comparisons": [comparison.settings() for comparison in self.comparisons],
            "blocking_rules_to_generate_predictions": ["l.row = r.row"],
            "retain_intermediate_calculation_columns": True,
            "retain_matching_columns": True,
        }


def near(column: str) -> str:
    """SQL: one character changed, missing or doubled, or two neighbours swapped."""
    return f"edits({column}_l, {column}_r) <= 1"


def birth(column: str) -> Comparison:
    """Compare dates written as YYYY-MM-DD."""
    swapped = f"substr({column}_l, 1, 5) || substr({column}_l, 9, 2) || '-' || substr({column}_l, 6, 2) = {column}_r"
    return Comparison(
        column,
        (column,),
        (
            Level("same", f"{column}_l = {column}_r", 0.9, 4e-5),
            Level("day-month-swapped", swapped, 0.02, 4e-5),
            Level("one-digit", near(column), 0.04, 1.2e-3),
            Level("same-year", f"substr({column}_l, 1, 4) = substr({column}_r, 1, 4)", 0.015, 0.015),
            Level("otherwise", "ELSE", 0.025, 0.98),
        ),
    )


def phone(column: str) -> Comparison:
    """Compare telephone numbers."""
    return Comparison(
        column,
        (column,),
        (
            Level("same", f"{column}_l = {column}_r", 0.6, 1.5e-5),
            Level("one-digit", near(column), 0.04, 2e-5),
            Level("otherwise", "ELSE", 0.36, 0.999),
        ),
    )


def person_name(name: str, reading: str) -> Comparison:
    """Compare names of persons in Chinese characters."""
    return Comparison(
        name,
        (name,),
        (
            Level("same", f"{name}_l = {name}_r", 0.86, 1.5e-4),
            Level("same-reading", f"{reading}_l = {reading}_r", 0.04, 4e-4),
            Level("one-character-long", f"length({name}_l) >= 3 and {near(name)}", 0.04, 4e-3),
            Level("one-character", near(name), 0.02, 0.02),
            Level("part", _within(name), 0.01, 1e-3),
            # A family shares surname, telephone and flat: what is left must not make two of them one.
            Level("same-surname", f"substr({name}_l, 1, 1) = substr({name}_r, 1, 1)", 0.0008, 0.04),
            Level("otherwise", "ELSE", 0.0003, 0.93),
        ),
    )


def firm_name(name: str, reading: str) -> Comparison:
    """Compare the cores of firms' names."""
    return Comparison(
        name,
        (name,),
        (
            Level("same", f"{name}_l = {name}_r", 0.7, 1e-5),
            Level("same-reading", f"{reading}_l = {reading}_r", 0.04, 1e-5),
            Level("one-character", f"length({name}_l) >= 4 and {near(name)}", 0.08, 5e-5),
            Level("part", _within(name), 0.05, 2e-4),
            Level("alike", f"likeness({name}_l, {name}_r) >= 0.7", 0.04, 2e-3),
            Level("otherwise", "ELSE", 0.004, 0.99),
        ),
    )


def _within(column: str) -> str:
    return f"contains({column}_l, {column}_r) or contains({column}_r, {column}_l)"


def contact(m: tuple[float, ...], u: tuple[float, ...]) -> Comparison:
    """Compare telephone and place at once: a family, or firms of one owner, share both, so the two are not counted apart."""
    phone_same, room_same = "phone_l = phone_r", "room_l = room_r"
    conditions = (
        ("same-phone-and-room", f"{phone_same} and {room_same}"),
        ("same-room", room_same),
        ("same-phone-and-building", f"{phone_same} and building_l = building_r"),
        ("same-phone", phone_same),
        ("one-digit-and-building", f"{near('phone')} and building_l = building_r"),
        ("same-building", "building_l = building_r"),
        ("same-community", "community_l = community_r"),
        ("otherwise", "ELSE"),
    )
    levels = tuple(Level(code, sql, a, b) for (code, sql), a, b in zip(conditions, m, u, strict=True))
    missing = "(phone_l is null or phone_r is null) and (community_l is null or community_r is null)"
    return Comparison("contact", ("phone", "community"), levels, missing=missing)


PERSON = Model(
    "person",
    "start",
    1e-6,
    (
        person_name("name", "reading"),
        Comparison(
            "code",
            ("code",),
            (
                Level("same", "code_l = code_r", 0.5, 3e-7),
                Level("one-digit", near("code"), 0.4, 3e-6),
                Level("two-digits", "edits(code_l, code_r) <= 2", 0.05, 3e-5),
                Level("otherwise", "ELSE", 0.05, 0.999),
            ),
        ),
        birth("birth_date").with_values(
            {
                "same": (0.93, 4e-5),
                "day-month-swapped": (0.02, 4e-5),
                "one-digit": (0.03, 1.2e-3),
                "same-year": (0.01, 0.015),
                "otherwise": (0.0015, 0.98),
            }
        ),
        contact(
            (0.35, 0.2, 0.02, 0.17, 0.01, 0.05, 0.05, 0.15), (2e-6, 4e-6, 3e-7, 2e-6, 1e-6, 5e-4, 0.01, 0.99)
        ),
        Comparison(
            "sex",
            ("sex",),
            (Level("same", "sex_l = sex_r", 0.985, 0.5), Level("otherwise", "ELSE", 0.015, 0.5)),
        ),
    ),
)

FIRM = Model(
    "firm",
    "start",
    8e-6,
    (
        firm_name("name", "reading"),
        Comparison(
            "code",
            ("code",),
            (
                Level("same", "code_l = code_r", 0.5, 1e-6),
                Level("one-digit", near("code"), 0.35, 5e-6),
                Level("two-digits", "edits(code_l, code_r) <= 2", 0.08, 5e-5),
                Level("otherwise", "ELSE", 0.07, 0.999),
            ),
        ),
        Comparison(
            "legal",
            ("legal",),
            (
                Level("same", "legal_l = legal_r", 0.8, 1.5e-4),
                Level("one-character", near("legal"), 0.06, 0.02),
                Level("otherwise", "ELSE", 0.14, 0.98),
            ),
        ),
        contact(
            (0.35, 0.15, 0.05, 0.12, 0.01, 0.07, 0.1, 0.15), (3e-6, 1e-5, 2e-6, 3e-5, 1e-6, 5e-4, 0.01, 0.99)
        ),
    ),
)

FACILITY = Model(
    "facility",
    "start",
    1e-4,
    (
        Comparison(
            "name",
            ("name",),
            (
                Level("same", "name_l = name_r", 0.7, 2e-4),
                Level("part", "contains(name_l, name_r) or contains(name_r, name_l)", 0.12, 1e-3),
                Level("alike", "likeness(name_l, name_r) >= 0.75", 0.1, 3e-3),
                Level("otherwise", "ELSE", 0.08, 0.99),
            ),
        ),
        Comparison(
            "address",
            ("address",),
            (
                Level("same", "address_l = address_r", 0.5, 2e-4),
                Level("alike", "likeness(address_l, address_r) >= 0.75", 0.3, 5e-3),
                Level("otherwise", "ELSE", 0.2, 0.99),
            ),
        ),
        phone("phone"),
        Comparison(
            "place",
            ("latitude", "longitude"),
            (
                Level(
                    "within-60-m", "metres(latitude_l, longitude_l, latitude_r, longitude_r) < 60", 0.7, 1e-4
                ),
                Level(
                    "within-250-m",
                    "metres(latitude_l, longitude_l, latitude_r, longitude_r) < 250",
                    0.2,
                    1e-3,
                ),
                Level(
                    "within-1-km",
                    "metres(latitude_l, longitude_l, latitude_r, longitude_r) < 1000",
                    0.07,
                    0.01,
                ),
                Level("otherwise", "ELSE", 0.03, 0.99),
            ),
        ),
    ),
)

STARTING = {"person": PERSON, "firm": FIRM, "facility": FACILITY, "premises": FACILITY}
