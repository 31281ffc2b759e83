"""Linkage by `chengshu link`'s own code path and by resolve(), beside an exact-ID line and an untuned Splink line.

F1 over pairs. Nothing here uses labels but the counting. Labelled files are split by a hash of the true cluster: "read" is the
half whose errors may be looked at, "kept" the half that is only scored; a wrong pair counts half to each side's half.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).parent))
import _generated
import _pois
from chengshu.batch.linkage import resolve
from chengshu.batch.linkage.scoring import quiet
from chengshu.batch.linkage.spec import Value, read_table, select
from chengshu.batch.linkage.tables import link_tables

NAME = "linkage: F1 over pairs, no labels used"
FEBRL = {
    "id": "rec_id", "given_name": "given_name", "surname": "surname", "street_number": "street_number",
    "address": "address_1", "address_2": "address_2", "suburb": "suburb", "postcode": "postcode", "state": "state",
    "birth_date": "date_of_birth", "resident_id": "soc_sec_id",
}  # fmt: skip
HISTORICAL = {
    "id": "unique_id", "given_name": "first_name", "surname": "surname", "birth_date": "dob", "postcode": "postcode_fake",
    "birth_place": "birth_place", "occupation": "occupation", "sex": "gender",
}  # fmt: skip
GOALS = {
    "febrl3": 0.997,
    "febrl4": 0.9995,
    "historical 50k": 0.80,
    "generated residents": 0.985,
    "generated firms": 0.97,
}


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Score every set; the labelled ones need ``shared``."""
    rows = _generated_rows(2_000 if small else 50_000)
    rows += _place_rows(500 if small else 5_000)
    folder = shared / "data" / "record_linkage" if shared else None
    if folder is None or not folder.is_dir():
        return {
            "rows": rows,
            "not_run": "febrl3, febrl4 and historical 50k: the folder of measured data is not here",
        }
    rows += _febrl_rows(folder)
    if not small:
        rows += _historical_rows(folder)
    return {"rows": rows}


def _row(
    what: str, ours: float, exact: float | None, splink: float | None, seconds: float, **more: Any
) -> dict[str, Any]:
    best = max((value for value in (exact, splink) if value is not None), default=None)
    return {
        "what": what,
        "ours": round(ours, 5),
        "peer": None if best is None else round(best, 5),
        "ratio": None if not best else round(ours / best, 4),
        "goal": GOALS.get(what),
        "exact_id": exact and round(exact, 5),
        "untuned_splink": splink and round(splink, 5),
        "seconds": round(seconds, 1),
    } | more


def _f1(pairs: pl.DataFrame, truth: dict[str, str], total: int) -> float:
    hits = sum(truth[a] == truth[b] for a, b in pairs.select("left_id", "right_id").iter_rows())
    return 2 * hits / max(pairs.height + total, 1)


def _halves(pairs: pl.DataFrame, truth: dict[str, str], *, across: bool) -> dict[str, float]:
    """F1 by half of the true clusters; a wrong pair counts a half for each of its records."""
    half = {cluster: hashlib.sha256(cluster.encode()).digest()[0] % 2 for cluster in set(truth.values())}
    held, hits = [0.0, 0.0], [0.0, 0.0]
    for a, b in pairs.select("left_id", "right_id").iter_rows():
        for one in (a, b):
            held[half[truth[one]]] += 0.5
        hits[half[truth[a]]] += truth[a] == truth[b]
    sizes: dict[str, int] = {}
    for cluster in truth.values():
        sizes[cluster] = sizes.get(cluster, 0) + 1
    totals = [0.0, 0.0]
    for cluster, size in sizes.items():
        totals[half[cluster]] += (size == 2) if across else size * (size - 1) / 2
    return {
        f"f1_{name}": round(2 * hits[n] / max(held[n] + totals[n], 1), 5)
        for n, name in enumerate(("read", "kept"))
    }


def _elements(table: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    return select(
        table, {element: Value(columns=(column,)) for element, column in columns.items()}, "benchmark"
    )


def _febrl_rows(folder: Path) -> list[dict[str, Any]]:
    rows = []
    three = _elements(read_table(folder / "dataset3.csv"), FEBRL)
    truth = dict(zip(three["id"], three["id"].str.extract(r"rec-(\d+)-"), strict=True))
    rows.append(_one_set("febrl3", three, None, truth, "resident_id"))
    a, b = (_elements(read_table(folder / f"dataset4{half}.csv"), FEBRL) for half in "ab")
    ids = pl.concat([a["id"], b["id"]])
    truth = dict(zip(ids, ids.str.extract(r"rec-(\d+)-"), strict=True))
    rows.append(_one_set("febrl4", a, b, truth, "resident_id"))
    return rows


def _historical_rows(folder: Path) -> list[dict[str, Any]]:
    table = read_table(folder / "historical_figures_with_errors_50k.parquet")
    truth = dict(zip(table["unique_id"], table["cluster"], strict=True))
    return [_one_set("historical 50k", _elements(table, HISTORICAL), None, truth, None)]


def _one_set(
    what: str, left: pl.DataFrame, right: pl.DataFrame | None, truth: dict[str, str], code: str | None
) -> dict[str, Any]:
    start = time.perf_counter()
    linked = link_tables("person", left, right)
    seconds = time.perf_counter() - start
    sizes = pl.Series(list(truth.values())).value_counts()["count"].cast(pl.Int64)
    total = int((sizes == 2).sum()) if right is not None else int((sizes * (sizes - 1) // 2).sum())
    exact = None if code is None else _f1(_exact(left, right, code), truth, total)
    splink = _f1(_untuned_splink(left, right), truth, total)
    ours = _f1(linked.pairs, truth, total)
    return _row(what, ours, exact, splink, seconds, **_halves(linked.pairs, truth, across=right is not None))


def _exact(left: pl.DataFrame, right: pl.DataFrame | None, code: str) -> pl.DataFrame:
    """The exact-ID line: equal numbers are one."""
    other = left if right is None else right
    pairs = left.select(code, left_id="id").join(other.select(code, right_id="id"), on=code)
    return pairs.filter(pl.col("left_id") < pl.col("right_id")) if right is None else pairs


def _untuned_splink(left: pl.DataFrame, right: pl.DataFrame | None) -> pl.DataFrame:
    """Splink as its tutorial sets it up: library comparisons, plain blocking rules, random u, EM, match at 0.5.

    Duplicates are clustered by connected components at 0.95, its usual closing step; two tables are linked pair by pair.
    """
    import duckdb
    import splink.comparison_library as library
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    names = [name for name in left.columns if name not in ("id", "given_name", "surname", "birth_date")]
    settings = SettingsCreator(
        link_type="dedupe_only" if right is None else "link_only",
        unique_id_column_name="id",
        comparisons=[
            library.NameComparison("given_name"),
            library.NameComparison("surname"),
            library.LevenshteinAtThresholds("birth_date", [1, 2]),
            *(library.ExactMatch(name).configure(term_frequency_adjustments=True) for name in names),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("given_name", "surname"),
            block_on("surname", "birth_date"),
            block_on("given_name", "birth_date"),
            block_on("postcode", "surname"),
            block_on("postcode", "given_name"),
            block_on("postcode", "birth_date"),
        ],
    )
    with quiet():
        api = DuckDBAPI(duckdb.connect())
        tables = [api.register(frame.to_arrow()) for frame in (left, right) if frame is not None]
        linker = Linker(tables if right is not None else tables[0], settings, log_level=None)
        linker.training.estimate_probability_two_random_records_match(
            [block_on("given_name", "surname", "birth_date")], recall=0.6
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("given_name", "surname"))
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("birth_date"))
        scored = linker.inference.predict(threshold_match_probability=0.5, warning_mode="never")
        if right is not None:
            found = pl.from_pandas(scored.as_pandas_dataframe()[["id_l", "id_r"]])
            return found.select(left_id=pl.col("id_l"), right_id=pl.col("id_r"))
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            scored, threshold_match_probability=0.95
        )
        rows = pl.from_pandas(clusters.as_pandas_dataframe()[["cluster_id", "id"]])
    pairs = rows.join(rows, on="cluster_id", suffix="_2").filter(pl.col("id") < pl.col("id_2"))
    return pairs.select(left_id="id", right_id="id_2")


def _generated_rows(people: int) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        truth = _generated.district(Path(folder), people, 11)
        for kind, what, code in (
            ("person", "generated residents", "resident_id"),
            ("firm", "generated firms", "credit_code"),
        ):
            records = _generated.records(truth, kind)
            start = time.perf_counter()
            found = resolve(kind, records)
            seconds = time.perf_counter() - start
            exact = records.select("record_id", cluster=pl.coalesce(code, "record_id"))
            ours = _generated.pair_scores(found.clusters, records)[2]
            splink = _generated.pair_scores(_splink_on_records(records, kind), records)[2]
            rows.append(
                _row(
                    what,
                    ours,
                    _generated.pair_scores(exact, records)[2],
                    splink,
                    seconds,
                    records=records.height,
                )
            )
    return rows


def _splink_on_records(records: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Untuned Splink on the departments' rows as they are: exact and fuzzy library comparisons on each column."""
    import duckdb
    import splink.comparison_library as library
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    code, other = (
        ("resident_id", "birth_date") if kind == "person" else ("credit_code", "legal_representative")
    )
    columns = ["record_id", "name", code, "phone", other, "place_code"]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=[
            library.JaroWinklerAtThresholds("name", [0.9, 0.7]),
            library.LevenshteinAtThresholds(code, [1, 2]),
            library.ExactMatch("phone"),
            library.ExactMatch(other),
            library.ExactMatch("place_code"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on(code),
            block_on("name", "phone"),
            block_on("name", "place_code"),
        ],
    )
    with quiet():
        api = DuckDBAPI(duckdb.connect())
        linker = Linker(api.register(records.select(columns).to_arrow()), settings, log_level=None)
        linker.training.estimate_probability_two_random_records_match([block_on(code)], recall=0.9)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(code))
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("name", "phone"))
        scored = linker.inference.predict(threshold_match_probability=0.5, warning_mode="never")
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(
            scored, threshold_match_probability=0.95
        )
        rows = found.as_pandas_dataframe()[["cluster_id", "record_id"]]
    return pl.from_pandas(rows).rename({"cluster_id": "cluster"})


def _place_rows(things: int) -> list[dict[str, Any]]:
    town = _pois.town(things, 21)
    left, right = (pl.DataFrame(_pois.listing(town, style, 0.75, 21)) for style in "ab")
    truth = dict(
        zip(pl.concat([left["id"], right["id"]]), pl.concat([left["truth"], right["truth"]]), strict=True)
    )
    total = len(set(left["truth"]) & set(right["truth"]))
    columns = {
        "id": "id",
        "name": "name",
        "phone": "tel",
        "address": "address",
        "longitude": "lon",
        "latitude": "lat",
    }
    start = time.perf_counter()
    found = link_tables("place", _elements(_blank(left), columns), _elements(_blank(right), columns))
    seconds = time.perf_counter() - start
    ours, peer = _f1(found.pairs, truth, total), _name_minus_distance(left, right)
    row = _row("generated places (peer: name minus distance, its best threshold)", ours, None, peer, seconds)
    return [row | {"untuned_splink": None}]


def _blank(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.when(pl.all() != "").then(pl.all()))


def _name_minus_distance(left: pl.DataFrame, right: pl.DataFrame) -> float:
    """The plain way, flattered: one to one, and at the threshold that the truth shows to be its best."""
    import numpy as np
    from rapidfuzz import fuzz

    lat, lon = (right[name].cast(pl.Float64).to_numpy() for name in ("lat", "lon"))
    names, truths = right["name"].to_list(), right["truth"].to_list()
    found = []
    for row in left.iter_rows(named=True):
        far = np.hypot(lat - float(row["lat"]), (lon - float(row["lon"])) * 0.92) * 111195
        found += [
            (fuzz.ratio(row["name"], names[n]) / 100 - far[n] / 1000, row["id"], n, row["truth"] == truths[n])
            for n in np.flatnonzero(far < 500)
        ]
    total = len(set(left["truth"]) & set(truths))
    used: set[Any] = set()
    hits = held = 0
    best = 0.0
    for _, a, b, right_one in sorted(found, reverse=True):
        if a not in used and b not in used:
            used |= {a, b}
            held += 1
            hits += right_one
            best = max(best, 2 * hits / (held + total))
    return best


if __name__ == "__main__":
    from chengshu.site.cli.bench import default_shared, run_one

    result = run_one(sys.modules[__name__], "--small" in sys.argv, default_shared(), quiet=False)
    for row in result["rows"]:
        print("   ", {name: value for name, value in row.items() if name not in ("goal", "ratio", "peer")})
    sys.exit(3 if result.get("not_run") else 0)
