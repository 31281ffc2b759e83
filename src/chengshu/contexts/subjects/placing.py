"""Where an address that a person wrote lies, by the run's matches and the district's library."""

from __future__ import annotations

import duckdb

from chengshu.batch.pipeline import layers
from chengshu.contexts.places import api as places
from chengshu.contexts.subjects.models import CurrentSnapshot
from chengshu.contexts.subjects.snapshots import part


def place_of(address: str | None) -> str | None:
    """Return the place code of an address text: as the last run matched it, else matched now."""
    if not address:
        return None
    current = CurrentSnapshot.objects.select_related("run").first()
    if current is not None:
        folder = part(current.run.run_id, "match", "")
        if layers.exists(folder, "matched"):
            with duckdb.connect() as con:
                table = layers.relation(folder, "matched")
                row = con.execute(f"select place_code from {table} where text = ?", [address]).fetchone()
            if row is not None:
                return str(row[0]) if row[0] else None
    return places.match_address(address)
