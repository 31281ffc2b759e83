"""The small district in which the objects are made: three people of each role in two departments and two cells."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace
from typing import Any

from PIL import Image

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.models import (
    Item,
)
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places.models import CellCharge
from chengshu.contexts.subjects.models import (
    CurrentSnapshot,
    GoldenRecord,
    Run,
)
from chengshu.interfaces.oidc import store as oidc
from chengshu.kernel.resources import shipped
from objects.base import now
from objects.papers import issued
from tests_support.casework import CELL, EMPTY_CELL, make_cells
from tests_support.engine_pack import OPINION, PERMIT, write_pack


def make_world(folder: Any) -> Any:
    """Make three people of each role, two cells, two departments, and what the kinds need."""
    world = SimpleNamespace(people={}, cells={}, cases={}, certificates={}, png=_png())
    for code in ("market", "housing", "finance", "data-bureau"):
        identity.save_department(code, code, code)
    cases.load_pack_version(write_pack(folder / "opinion", OPINION), now())
    for code in ("market", "housing"):
        changes = [
            ("pack.yaml", "id: permit", f"id: permit-{code}"),
            ("states.yaml", "'market'", f"'{code}'"),
        ]
        cases.load_pack_version(write_pack(folder / f"permit-{code}", PERMIT, *changes), now())
    cases.load_pack_version(shipped("packs", "cn", "grid-verification"), now())
    make_cells()
    world.run = Run.objects.create(run_id="r1", state=Run.State.PUBLISHED, started_at=now())
    CurrentSnapshot.objects.create(pk=1, run=world.run, published_at=now())
    number = 0
    for role in identity.ALL_ROLES:
        world.people[role] = []
        for place in ("market", "market", "housing"):
            number += 1
            subject = f"P00000001{number:02d}7" if role == "resident" else ""
            person = identity.save_account(
                f"{role}-{number}", display_name=f"某{number}", role=role, subject_id=subject,
                department=None if role == "resident" else place,
            )  # fmt: skip
            if subject:
                GoldenRecord.objects.create(
                    subject_id=subject, kind="person", valid_from=world.run.number, name=f"某{number}",
                    data={"person.name": f"某{number}", "person.phone": "13800000000"},
                )  # fmt: skip
            person.refresh_from_db()
            world.people[role].append(person)
    world.public = identity.save_account(
        "public", display_name="公众", role="resident", subject_id="P0000000997"
    )
    mine, peer, stranger = world.people["grid_worker"]
    for worker, cell in ((mine, CELL), (peer, EMPTY_CELL), (stranger, EMPTY_CELL)):
        world.cells[worker.pk] = cell
    for worker, cell in ((mine, CELL), (peer, EMPTY_CELL)):
        CellCharge.objects.create(cell_id=cell, account=worker, post="main", first_day=dt.date(2026, 1, 1))
    world.system = oidc.add_system(
        "甲系统", purpose="乙", redirect_uris=["https://a.example/"], scopes=[], actor=None, now=now()
    ).system
    items = hall.load_items(shipped("districts", "baoan", "items", "own.yaml").parent, now=now())
    assert items is not None
    world.item = Item.objects.exclude(body={}).earliest("pk").pk
    for role in ("resident", "officer"):
        for person in world.people[role]:
            issued(world, person)
    return world


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    return out.getvalue()
