"""Generated numbers: valid in form and check digit, and impossible in life (see districts/baoan/README.md)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Days = NDArray[np.datetime64]

# Provinces people come from, with weights; the code ends in 0000, which no resident ID does.
_PROVINCES = {
    44: 34, 43: 12, 45: 10, 42: 8, 36: 8, 41: 6, 51: 6, 52: 3, 34: 2, 35: 2, 61: 1, 37: 1, 13: 1, 32: 1, 33: 1,
    23: 0.5, 22: 0.5, 21: 0.5, 62: 0.5, 53: 0.5, 14: 0.4, 11: 0.3, 31: 0.3, 65: 0.3, 15: 0.2, 12: 0.1,
}  # fmt: skip
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_CHECK = np.array(list("10X98765432"))
_NEVER_HELD = np.array([160, 161, 163, 164], dtype=np.int64)
_CREDIT = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
_CREDIT_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28], dtype=np.int64)
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)


def with_check_digit(body: Ints) -> pl.Series:
    """Append the check digit of GB 11643 to 17-digit numbers."""
    digits = (body[:, None] // 10 ** np.arange(16, -1, -1, dtype=np.int64)) % 10
    check = _CHECK[(digits * _WEIGHTS).sum(axis=1) % 11]
    return pl.Series(body).cast(pl.String).str.zfill(17) + pl.Series(check)


def day_number(days: Days) -> Ints:
    """Return dates as integers YYYYMMDD."""
    months = days.astype("datetime64[M]")
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1
    number: Ints = year * 10000 + month * 100 + day
    return number


def resident_ids(
    rng: np.random.Generator,
    born: Days,
    female: Bools,
    *,
    lead: Ints | None = None,
    taken: Ints | None = None,
) -> pl.Series:
    """Draw one distinct resident ID for each; ``taken`` are 17-digit bodies already given out.

    ``lead`` names, for each, the one whose province is shared (a twin's).
    """
    taken = np.zeros(0, dtype=np.int64) if taken is None else taken
    codes = np.array(list(_PROVINCES), dtype=np.int64) * 10000
    weight = np.array(list(_PROVINCES.values()))
    region = rng.choice(codes, len(born), p=weight / weight.sum())
    if lead is not None:
        region = region[lead]
    stem = region * 10**11 + day_number(born) * 1000
    body = stem + _sequence(rng, female)
    while True:
        order = np.argsort(body, kind="stable")
        repeated = np.zeros(len(body), dtype=bool)
        repeated[order[1:]] = body[order[1:]] == body[order[:-1]]
        repeated |= np.isin(body, taken)
        if not repeated.any():
            return with_check_digit(body)
        body[repeated] = stem[repeated] + _sequence(rng, female[repeated])


def _sequence(rng: np.random.Generator, female: Bools) -> Ints:
    # Men have odd numbers, women even ones; 000 is left to the permits below.
    number: Ints = rng.integers(0, 499, len(female)) * 2 + np.where(female, 2, 1)
    return number


def hong_kong_macao_taiwan_ids(rng: np.random.Generator, born: Days) -> pl.Series:
    """Draw residence permits (810000, 820000, 830000, sequence 000) and travel permits (H00…, M00…, 00…)."""
    count = len(born)
    where = rng.choice([81, 82, 83], count, p=[0.6, 0.1, 0.3])
    permit = with_check_digit(where * 10**15 + day_number(born) * 1000)
    serial = distinct(rng, count, 1_000_000)
    letter = pl.Series(np.array(["H", "M", ""])[where - 81])
    width = pl.Series(serial).cast(pl.String).str.zfill(6)
    travel = letter + "00" + width
    # A permit without a sequence repeats for two people of one birthday: those travel on the other paper.
    resident = pl.Series(rng.random(count) < 0.5) & permit.is_first_distinct()
    return pl.select(pl.when(resident).then(permit).otherwise(travel)).to_series()


def foreign_ids(rng: np.random.Generator, born: Days) -> pl.Series:
    """Draw passports XP00….. and foreigners' permanent residence cards (9…, sequence 000)."""
    count = len(born)
    country = rng.choice([840, 392, 410, 356, 586, 276, 250, 704], count)
    card = with_check_digit((900_000 + 44 * 1000 + country) * 10**11 + day_number(born) * 1000)
    passport = "XP00" + pl.Series(distinct(rng, count, 10_000_000)).cast(pl.String).str.zfill(7)
    resident = pl.Series(rng.random(count) < 0.25) & card.is_first_distinct()
    return pl.select(pl.when(resident).then(card).otherwise(passport)).to_series()


def phones(rng: np.random.Generator, count: int) -> pl.Series:
    """Draw distinct mobile numbers with prefixes that no operator holds."""
    serial = distinct(rng, count, 400_000_000)
    number = _NEVER_HELD[serial % 4] * 10**8 + serial // 4
    return pl.Series(number).cast(pl.String)


def distinct(rng: np.random.Generator, count: int, below: int) -> Ints:
    """Draw ``count`` distinct numbers below ``below``, in random order."""
    chosen: Ints = np.unique(rng.integers(0, below, int(count * 1.1) + 16))
    while len(chosen) < count:
        chosen = np.unique(np.concatenate([chosen, rng.integers(0, below, count + 16)]))
    rng.shuffle(chosen)
    return chosen[:count]


def credit_codes(rng: np.random.Generator, count: int, self_employed: Bools) -> pl.Series:
    """Draw distinct unified social credit codes of 440306, organisation part XQ…."""
    values = np.zeros((count, 18), dtype=np.int64)
    values[:, 0] = 9
    values[:, 1] = np.where(self_employed, 2, 1)
    values[:, 2:8] = [4, 4, 0, 3, 0, 6]
    serial = distinct(rng, count, 31**6)
    values[:, 8] = 29  # X
    values[:, 9] = 24  # Q
    values[:, 10:16] = (serial[:, None] // 31 ** np.arange(5, -1, -1, dtype=np.int64)) % 31
    values[:, 16] = _organisation_check(values[:, 8:16])
    values[:, 17] = (31 - (values[:, :17] * _CREDIT_WEIGHTS).sum(axis=1) % 31) % 31
    letters = _CREDIT[values]
    return pl.Series(np.ascontiguousarray(letters).view(f"<U{letters.shape[1]}").ravel())


def _organisation_check(part: Ints) -> Ints:
    """Check character of the organisation code (GB 11714); X stands for ten."""
    # GB 11714 counts letters A=10 … Z=35; the credit code's alphabet leaves I, O, S, V, Z out.
    plain = np.array(["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter) for letter in _CREDIT])
    rest = 11 - (plain[part] * _ORGANISATION_WEIGHTS).sum(axis=1) % 11
    value: Ints = np.where(rest == 11, 0, np.where(rest == 10, 29, rest))
    return value
