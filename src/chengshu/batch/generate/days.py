"""``daily``: the files that departments send the next day, made from the day before with a known truth.

About one row in a hundred changes: people move (and not every department hears of it), change their number, are
born, arrive, leave and die; firms move, change their name, open and close; rooms are split in two.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate import identities, names
from chengshu.batch.generate.demo import Truth, load_truth
from chengshu.batch.generate.texts import write_texts
from chengshu.batch.generate.writing import KINDS, path_of, read_table, write_table

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a table keeps what changes, and how it writes dates."""

    key: str
    name: str
    number: str
    phone: str
    address: str
    updated: str
    born: str = ""
    sex: str = ""
    died: str = ""
    status: str = ""
    dates: str = "%Y-%m-%d"
    updated_dates: str = "%Y-%m-%d"
    women: str = "女"
    men: str = "男"
    prefix: str = ""


_PEOPLE = {
    "public-security.residents": _Columns(
        "jlbh", "xm", "zjhm", "lxdh", "jzdz", "gxsj", "csrq", "xb", "swrq", dates="%Y%m%d", prefix="R"
    ),
    "housing.tenancies": _Columns(
        "备案号", "承租人", "证件号码", "联系电话", "出租屋地址", "备案日期", "出生日期", "性别",
        dates="%Y/%m/%d", updated_dates="%Y/%m/%d", prefix="T",
    ),
    "health.patients": _Columns(
        "file_no", "full_name", "id_no", "mobile", "home", "updated_on", "born", "gender", women="2", men="1",
        prefix="P",
    ),
}  # fmt: skip
_FIRMS = {
    "market.firms": _Columns(
        "注册号",
        "企业名称",
        "统一社会信用代码",
        "联系电话",
        "住所",
        "核准日期",
        status="登记状态",
        prefix="M",
    ),
    "tax.taxpayers": _Columns(
        "nsr_no", "nsrmc", "tyshxydm", "lxdh", "scjydz", "gxrq", status="nsrzt", prefix="N"
    ),
}
_HEARS = 0.75  # the share of departments' rows that follow when their subject changes


class _Sheet:
    """One table of the day, with its truth row by row."""

    def __init__(self, source: str, rows: pl.DataFrame, truth: pl.DataFrame) -> None:
        self.source, self.rows, self.truth = source, rows, truth

    def of(self, entities: Ints, rng: np.random.Generator, share: float) -> Ints:
        """Return the positions of the entities' rows that hear of a change."""
        mine = np.isin(self.truth["entity"].to_numpy(), entities)
        refused = self.truth["errors"].str.contains("refused").to_numpy()
        return np.flatnonzero(mine & ~refused & (rng.random(self.rows.height) < share))

    def put(self, column: str, at: Ints, values: pl.Series) -> None:
        """Write values into a column of some rows."""
        changed = (
            self.rows[column].cast(pl.String).scatter(pl.Series(at, dtype=pl.UInt32), values.cast(pl.String))
        )
        self.rows = self.rows.with_columns(changed.alias(column))

    def put_truth(self, at: Ints, places: pl.Series) -> None:
        """Note the true place of changed rows; their addresses are written cleanly now."""
        spot = pl.Series(at, dtype=pl.UInt32)
        codes = self.truth["place_code"].scatter(spot, places)
        errors = self.truth["errors"].scatter(
            spot,
            self.truth["errors"]
            .gather(spot)
            .str.replace_all(r"address_\w+|second_home", "")
            .str.strip_chars(","),
        )
        self.truth = self.truth.with_columns(place_code=codes, errors=errors)

    def drop(self, at: Ints) -> None:
        """Leave rows out: the department no longer delivers them."""
        keep = np.ones(self.rows.height, dtype=bool)
        keep[at] = False
        self.rows, self.truth = self.rows.filter(keep), self.truth.filter(keep)

    def add(self, rows: dict[str, pl.Series], truth: pl.DataFrame) -> None:
        """Append rows; columns not given are empty."""
        frame = pl.DataFrame(rows).cast(pl.String)
        self.rows = pl.concat([self.rows, frame], how="diagonal")
        self.truth = pl.concat([self.truth, truth.select(self.truth.columns)])


@dataclass(slots=True)
class _Town:
    """What is true on the day."""

    library: pl.DataFrame
    people: pl.DataFrame
    firms: pl.DataFrame
    day: date
    rng: np.random.Generator

    def rooms(self, dwelling: bool) -> pl.DataFrame:
        """Return the active rooms that are homes, or those above the ground floor of parks and towers."""
        active = self.library.filter(pl.col("room").is_not_null() & (pl.col("state") == "active"))
        if not dwelling:
            work = active.filter(pl.col("estate").str.contains(r"工业|科技|产业|创新|大厦|中心|广场"))
            return work if work.height else active
        homes = set(self.people["place_code"].drop_nulls().to_list())
        return active.filter(pl.col("place_code").is_in(homes))

    def addresses(self, rooms: pl.DataFrame, at: Ints) -> pl.DataFrame:
        """Return code and text of chosen rooms, a third of the texts short or messy."""
        chosen = rooms[at]
        distinct = chosen.unique("place_code", maintain_order=True)
        texts = write_texts(distinct, int(self.rng.integers(2**31)))
        style = self.rng.choice([0, 1, 2], distinct.height, p=[0.6, 0.2, 0.2])
        text, _ = texts.write(np.arange(distinct.height), style)
        written = pl.DataFrame({"place_code": distinct["place_code"], "text": text})
        return chosen.select("place_code").join(written, on="place_code", how="left", maintain_order="left")


def daily(out: Path, previous: Path, day: date, seed: int, *, churn: float = 0.01) -> Truth:
    """Write the next day's files into ``out`` from those in ``previous``; the same arguments give the same bytes.

    ``churn`` is about the share of people's and firms' rows that change.
    """
    before = load_truth(previous)
    rng = np.random.default_rng([seed, day.toordinal()])
    town = _Town(before.library, before.entities("person"), before.entities("firm"), day, rng)
    sheets = {source: _read(previous, before, source) for source in KINDS}
    _split_rooms(town, rng)
    people = [sheets[source] for source in _PEOPLE]
    _move_people(town, people, churn)
    _change_phones(town, people, churn)
    _die(town, people)
    _leave(people, rng)
    _arrive(town, people)
    firms = [sheets[source] for source in _FIRMS]
    _change_firms(town, firms, churn)
    return _write(out, previous, town, sheets)


def _read(previous: Path, before: Truth, source: str) -> _Sheet:
    rows = read_table(previous, source)
    truth = before.rows(KINDS[source]).filter(pl.col("source") == source).sort("row")
    return _Sheet(source, rows.cast(pl.String), truth.select("key", "entity", "place_code", "errors"))


def _columns(sheet: _Sheet) -> _Columns:
    return _PEOPLE.get(sheet.source) or _FIRMS[sheet.source]


def _stamp(sheet: _Sheet, at: Ints, day: date) -> None:
    columns = _columns(sheet)
    text = day.strftime(columns.updated_dates)
    sheet.put(columns.updated, at, pl.Series([text] * len(at), dtype=pl.String))


def _relocate(town: _Town, sheets: list[_Sheet], entities: Ints, new: pl.DataFrame) -> None:
    """Bring the rows that hear of a move to the new address."""
    where = pl.DataFrame({"entity": entities}).hstack(new)
    for sheet in sheets:
        at = sheet.of(entities, town.rng, _HEARS)
        if not len(at):
            continue
        spot = sheet.truth.select("entity")[at].join(where, on="entity", how="left", maintain_order="left")
        sheet.put(_columns(sheet).address, at, spot["text"])
        sheet.put_truth(at, spot["place_code"])
        _stamp(sheet, at, town.day)


def _pick(town: _Town, frame: pl.DataFrame, count: int) -> Ints:
    return np.sort(town.rng.choice(frame.height, min(count, frame.height), replace=False)).astype(np.int64)


def _move_people(town: _Town, sheets: list[_Sheet], churn: float) -> None:
    total = sum(sheet.rows.height for sheet in sheets)
    # Two rows a person, three in four of them follow.
    entities = _pick(town, town.people, max(1, round(total * churn * 0.75 / 2 / _HEARS)))
    homes = town.rooms(dwelling=True)
    new = town.addresses(homes, town.rng.integers(0, homes.height, len(entities)))
    _relocate(town, sheets, entities, new)
    spot = pl.Series(entities, dtype=pl.UInt32)
    old = town.people["place_code"].gather(spot)
    town.people = town.people.with_columns(
        former_place=town.people["former_place"].scatter(spot, old),
        place_code=town.people["place_code"].scatter(spot, new["place_code"]),
        moved_on=town.people["moved_on"].scatter(spot, pl.Series([town.day] * len(entities))),
    )


def _change_phones(town: _Town, sheets: list[_Sheet], churn: float) -> None:
    total = sum(sheet.rows.height for sheet in sheets)
    entities = _pick(town, town.people, max(1, round(total * churn * 0.25 / 2 / _HEARS)))
    numbers = identities.phones(town.rng, len(entities))
    new = pl.DataFrame({"entity": entities, "phone": numbers})
    for sheet in sheets:
        at = sheet.of(entities, town.rng, _HEARS)
        spot = sheet.truth.select("entity")[at].join(new, on="entity", how="left", maintain_order="left")
        sheet.put(_columns(sheet).phone, at, spot["phone"])
        _stamp(sheet, at, town.day)
    town.people = town.people.with_columns(
        phone=town.people["phone"].scatter(pl.Series(entities, dtype=pl.UInt32), numbers)
    )


def _die(town: _Town, sheets: list[_Sheet]) -> None:
    """A few old people die; the register knows, the others do not yet."""
    alive = (
        town.people.filter(pl.col("died_on").is_null())
        .sort("birth_date")
        .head(max(50, town.people.height // 50))
    )
    entities = alive["entity"].to_numpy()[_pick(town, alive, max(1, round(town.people.height * 2e-5)))]
    register = sheets[0]
    at = register.of(entities, town.rng, 1.0)
    register.put("swrq", at, pl.Series([town.day.strftime("%Y%m%d")] * len(at), dtype=pl.String))
    _stamp(register, at, town.day)
    town.people = town.people.with_columns(
        died_on=town.people["died_on"].scatter(
            pl.Series(entities, dtype=pl.UInt32), [town.day] * len(entities)
        )
    )


def _leave(sheets: list[_Sheet], rng: np.random.Generator) -> None:
    """A few rows are no longer delivered."""
    for sheet in sheets:
        sheet.drop(rng.choice(sheet.rows.height, max(1, round(sheet.rows.height * 2e-4)), replace=False))


def _arrive(town: _Town, sheets: list[_Sheet]) -> None:
    """Children are born into families and people come from elsewhere."""
    rng, day = town.rng, town.day
    births, arrivals = max(1, round(town.people.height * 3e-5)), max(1, round(town.people.height * 4e-4))
    families = town.people.filter((pl.col("household_kind") == "family") & pl.col("place_code").is_not_null())
    parents = families[_pick(town, families, births)]
    births = parents.height
    count = births + arrivals
    born = np.full(count, np.datetime64(day), dtype="datetime64[D]")
    born[births:] -= rng.integers(19 * 365, 48 * 365, arrivals).astype("timedelta64[D]")
    female = rng.random(count) < 0.5
    first, last = names.given_parts(rng, female)
    surname = pl.concat([parents["name"].str.slice(0, 1), names.surnames(rng, arrivals)])
    known = town.people["resident_id"].str.slice(0, 17).cast(pl.Int64, strict=False).drop_nulls().to_numpy()
    homes = town.rooms(dwelling=True)
    places = pl.concat(
        [parents["place_code"], homes["place_code"].gather(rng.integers(0, homes.height, arrivals))]
    )
    rooms = places.to_frame().join(town.library, on="place_code", how="left", maintain_order="left")
    start = int(town.people["entity"].max()) + 1  # type: ignore[arg-type]
    new = pl.DataFrame(
        {
            "entity": np.arange(start, start + count),
            "name": surname + first + last,
            "sex": np.where(female, "女", "男"),
            "birth_date": born,
            "resident_id": identities.resident_ids(rng, born, female, taken=known),
            "phone": pl.concat([parents["phone"], identities.phones(rng, arrivals)]),
            "place_code": places,
            "text": town.addresses(rooms, np.arange(count))["text"],
            "birth": np.arange(count) < births,
        }
    )
    for sheet, wanted in zip(sheets, (pl.lit(True), ~pl.col("birth"), pl.col("birth")), strict=True):
        _register(sheet, new.filter(wanted), town)
    known_columns = [name for name in new.columns if name in town.people.columns]
    town.people = pl.concat(
        [town.people, new.select(known_columns).with_columns(rare=pl.lit(False), twin=pl.lit(False))],
        how="diagonal_relaxed",
    )


def _register(sheet: _Sheet, people: pl.DataFrame, town: _Town) -> None:
    columns = _columns(sheet)
    keys = _fresh_keys(sheet, columns, people.height, town.rng)
    day = town.day.strftime(columns.updated_dates)
    sheet.add(
        {
            columns.key: keys,
            columns.name: people["name"],
            columns.sex: people["sex"].replace_strict({"女": columns.women, "男": columns.men}),
            columns.born: people["birth_date"].dt.strftime(columns.dates),
            columns.number: people["resident_id"],
            columns.phone: people["phone"],
            columns.address: people["text"],
            columns.updated: pl.Series([day] * people.height, dtype=pl.String),
        },
        people.select("entity", "place_code").with_columns(key=keys, errors=pl.lit("")),
    )


def _fresh_keys(sheet: _Sheet, columns: _Columns, count: int, rng: np.random.Generator) -> pl.Series:
    taken = sheet.rows[columns.key].str.slice(1).cast(pl.Int64).max()
    serial = int(taken) + 1 + np.arange(count)  # type: ignore[arg-type]
    return columns.prefix + pl.Series(serial).cast(pl.String).str.zfill(9)


def _change_firms(town: _Town, sheets: list[_Sheet], churn: float) -> None:
    """Firms move, change their name, close."""
    rng = town.rng
    total = sum(sheet.rows.height for sheet in sheets)
    changed = max(3, round(total * churn / 1.8 / _HEARS))
    chosen = _pick(town, town.firms, changed)
    rng.shuffle(chosen)
    renamed, closed, moved = np.split(chosen, [max(1, changed // 5), max(2, changed * 3 // 10)])
    work = town.rooms(dwelling=False)
    new = town.addresses(work, rng.integers(0, work.height, len(moved)))
    _relocate(town, sheets, moved, new)
    firms = town.firms
    others = names.trade_names(rng, len(renamed)) + pl.Series(np.arange(len(renamed)) % 9 + 1).replace_strict(
        dict(enumerate("一二三四五六七八九", 1))
    )
    own = firms[renamed]
    fresh = pl.select(
        pl.when(own["self_employed"]).then(pl.lit("深圳市宝安区")).otherwise(pl.lit("深圳市"))
        + others + own["line"]
        + pl.when(own["self_employed"]).then(pl.lit("")).otherwise(pl.lit("有限公司"))
    ).to_series()  # fmt: skip
    _tell(sheets, town, renamed, "name", fresh)
    _tell(sheets, town, closed, "status", pl.Series(["注销"] * len(closed), dtype=pl.String))
    spot, gone, away = (pl.Series(at, dtype=pl.UInt32) for at in (renamed, closed, moved))
    town.firms = firms.with_columns(
        former_name=firms["former_name"].scatter(spot, own["name"]),
        name=firms["name"].scatter(spot, fresh),
        status=firms["status"].scatter(gone, ["注销"] * len(closed)),
        former_place=firms["former_place"].scatter(away, firms["place_code"].gather(away)),
        place_code=firms["place_code"].scatter(away, new["place_code"]),
    )


def _tell(sheets: list[_Sheet], town: _Town, entities: Ints, what: str, values: pl.Series) -> None:
    new = pl.DataFrame({"entity": entities, "value": values})
    for sheet in sheets:
        at = sheet.of(entities, town.rng, _HEARS)
        spot = sheet.truth.select("entity")[at].join(new, on="entity", how="left", maintain_order="left")
        sheet.put(getattr(_columns(sheet), what), at, spot["value"])
        _stamp(sheet, at, town.day)


def _split_rooms(town: _Town, rng: np.random.Generator) -> None:
    """Split a room or two: the old code is retired and names the new ones; nobody lives in the new ones yet."""
    rooms = town.rooms(dwelling=False)
    chosen = rooms[np.sort(rng.choice(rooms.height, min(2, rooms.height), replace=False))]
    made, last = (
        [],
        town.library.group_by(pl.col("place_code").str.slice(0, 17).alias("building")).agg(
            pl.col("place_code").max()
        ),
    )
    highest = dict(last.iter_rows())
    successors: dict[str, str] = {}
    for row in chosen.iter_rows(named=True):
        building, codes = row["place_code"][:17], []
        for letter in "AB":
            highest[building] = f"{building}{int(highest[building][17:]) + 1:04d}"
            codes.append(highest[building])
            made.append(
                {**row, "place_code": codes[-1], "room": row["room"] + letter, "valid_from": str(town.day)}
            )
        successors[row["place_code"]] = ",".join(codes)
    ended = pl.col("place_code").is_in(list(successors))
    town.library = pl.concat(
        [
            town.library.with_columns(
                state=pl.when(ended).then(pl.lit("retired")).otherwise("state"),
                replaced_by=pl.when(ended)
                .then(pl.col("place_code").replace(successors))
                .otherwise("replaced_by"),
                valid_to=pl.when(ended).then(pl.lit(str(town.day))).otherwise("valid_to"),
            ),
            pl.DataFrame(made, schema=town.library.schema),
        ]
    )


def _write(out: Path, previous: Path, town: _Town, sheets: dict[str, _Sheet]) -> Truth:
    out.mkdir(parents=True, exist_ok=True)
    for folder in ("library", "staff"):
        if (previous / folder).is_dir() and previous.resolve() != out.resolve():
            shutil.copytree(previous / folder, out / folder, dirs_exist_ok=True)
    (out / "truth").mkdir(exist_ok=True)
    changed = {*_PEOPLE, *_FIRMS}
    for source, sheet in sheets.items():
        if source in changed:
            write_table(out, source, sheet.rows)
        else:
            _copy(out, previous, source)
    for kind in dict.fromkeys(KINDS.values()):
        frames = [
            sheet.truth.with_row_index("row", offset=1).select(
                pl.lit(source).alias("source"),
                "key",
                pl.col("row").cast(pl.Int64),
                "entity",
                "place_code",
                "errors",
            )
            for source, sheet in sheets.items()
            if KINDS[source] == kind
        ]
        pl.concat(frames).write_parquet(out / "truth" / f"{kind}_rows.parquet")
    town.people.write_parquet(out / "truth" / "persons.parquet")
    town.firms.write_parquet(out / "truth" / "firms.parquet")
    town.library.write_parquet(out / "library" / "library.parquet")
    return Truth(out)


def _copy(out: Path, previous: Path, source: str) -> None:
    """Copy a file that its department sends again as it was."""
    target = path_of(out, source)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path_of(previous, source).resolve() != target.resolve():
        shutil.copy2(path_of(previous, source), target)
