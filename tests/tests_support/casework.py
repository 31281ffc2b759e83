"""A small real district for cases: one zone, two cells, staff, departments."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from chengshu.contexts.identity import api as identity
from chengshu.contexts.places.models import Cell, CellCharge, Zone

MONDAY = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
CELL, EMPTY_CELL = "Z559-001", "Z559-002"
BOX = '{"type":"Polygon","coordinates":[[[113.88,22.55],[113.89,22.55],[113.89,22.56],[113.88,22.55]]]}'


def firm_facts(**more):
    return {
        "kind": "firm-address",
        "subject_id": "F000000017",
        "subject_label": "示例商贸有限公司",
        "element": "firm.address",
        "element_label": "经营地址",
        "values": [
            {"value": "新安街道创业一路12号3栋503", "source": "market.firms", "source_title": "市场监管局"},
            {"value": "新安街道甲岸路25号1栋101", "source": "tax.taxpayers", "source_title": "税务局"},
        ],
        "address": "新安街道创业一路12号3栋503",
        "area": "新安街道",
        **more,
    }


def person_facts(**more):
    return firm_facts(
        **{
            "kind": "two-homes",
            "subject_id": "P000000025",
            "subject_label": "张**",
            "element": "person.address",
            **more,
        }
    )


def days_later(days, hour=1):
    return (MONDAY + dt.timedelta(days=days)).replace(hour=hour)


def make_cells():
    zone = Zone.objects.create(code="Z559", geometry=BOX, west=113.88, south=22.55, east=113.89, north=22.56)
    for code in (CELL, EMPTY_CELL):
        Cell.objects.create(
            code=code, zone=zone, geometry=BOX, west=113.88, south=22.55, east=113.89, north=22.56,
            origin=Cell.Origin.GENERATED, valid_from=dt.date(2026, 1, 1),
        )  # fmt: skip


def make_staff():
    for code, zh in (
        ("market", "市场监管局"),
        ("housing", "住房建设局"),
        ("fire", "消防救援大队"),
        ("grid-office", "网格办"),
    ):
        identity.save_department(code, zh, code)
    save = identity.save_account
    staff = SimpleNamespace(
        worker=save("w1", display_name="陈志强", role="grid_worker", department="grid-office"),
        colleague=save("w2", display_name="黄丽", role="grid_worker", department="grid-office"),
        stranger=save("w3", display_name="旁人", role="grid_worker", department="grid-office"),
        officer=save("o1", display_name="周敏", role="officer", department="market"),
        fireman=save("o2", display_name="李火", role="officer", department="fire"),
        operator=save("op", display_name="刘伟", role="operator"),
        steward=save("st", display_name="林静", role="steward"),
        resident=save("re", display_name="居民", role="resident", subject_id="P000000025"),
    )
    for account in (staff.worker, staff.colleague, staff.stranger, staff.officer, staff.fireman):
        account.refresh_from_db()
    CellCharge.objects.create(cell_id=CELL, account=staff.worker, post="main", first_day=dt.date(2026, 1, 1))
    return staff
