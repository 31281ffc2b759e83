"""What the demo has to show and to read: a card of the demo resident, a window's device. All of it generated."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.citizen_code import device, store
from chengshu.contexts.hall.citizen_code.models import CodeDevice
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects

DEVICE, DEVICE_FILE = "demo-window-1", "demo-device.json"
PACK = "social-security-card"
DAYS = 180


def seed_demo(now: datetime) -> None:
    """Give the demo's resident a card, and the demo a device that reads codes offline; again does nothing."""
    resident = identity.account_named("resident")
    if resident is not None and resident.subject_id:
        _card(resident, now)
    if not CodeDevice.objects.filter(code=DEVICE).exists():
        _device(now)


def _card(resident: identity.Account, now: datetime) -> None:
    held = subjects.effective_record(resident.subject_id).values
    name, number, born = (
        str(held.get(f"person.{each}") or "") for each in ("name", "resident_id", "birth_date")
    )
    if not (name and number and born):
        return
    facts = {
        "applicant_name": name, "applicant_id": number, "applicant_born_on": born[:10],
        "phone": str(held.get("person.phone") or "13800000000"), "for_whom": "self", "has_card": False, "carrier": "electronic",
    }  # fmt: skip
    # A first card is had once: the same case as the demo of the hall opens (site/hall_demo.py), whichever comes first.
    case_id = cases.open_case(
        PACK,
        facts,
        opened_by=resident,
        subject_id=resident.subject_id,
        idempotency_key=f"demo:{PACK}",
        now=now,
    )
    if "confirm" in {command.name for command in cases.case_view(case_id, resident, now=now).commands}:
        cases.command(
            case_id, "confirm", {"agreed": True}, actor=resident, expected_version=None,
            idempotency_key=f"demo:{case_id}:confirm", now=now,
        )  # fmt: skip
    # The PDF is made by a job, as everywhere.
    cases.run_jobs(now)


def _device(now: datetime) -> None:
    path = Path(settings.VAR_DIR) / DEVICE_FILE
    made = device.new_device(DEVICE)
    row = store.enrol(
        made.request("演示窗口 1 号设备"), department="data-bureau", place="新安街道办事大厅 1 号窗口（演示）", days=DAYS,
        by="demo", now=now,
    )  # fmt: skip
    device.take_bundle(made, store.bundle(row, now))
    device.save(made, path)
