"""The same district on PostgreSQL: loaded by COPY, split, matched, posted."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.kernel.resources import shipped
on, now = date(2026, 11, 21), datetime(2026, 11, 21, 1, tzinfo=UTC)
identity.seed_demo()
counts = places.load_generated(Path(sys.argv[1]), shipped("districts", "baoan"), on=on, now=now)
assert places.library_frame().height == counts["addresses"]
operator = identity.account_named("operator")
cell = max(places.cells(), key=lambda one: one.residents)
made = places.split_cell(cell.code, 2, actor=operator, on=on, now=now, reason="x")
assert places.people_in_charge(made[0], on) and len(places.zones_geojson()["features"]) == 86
number = places.propose_address("宝民社区新开路88号", actor=None, now=now, idempotency_key="k")
slots = {"road": "新开路", "number": "88号"}
code = places.confirm_address(number, slots, community_code="440306017001", actor=operator, on=on, now=now)
assert places.place(code).state == "active"
print("done")
"""


@pytest.mark.postgres
def test_a_district_lives_on_postgresql_as_well(postgres_url, generated, tmp_path):
    var = tmp_path / "pg"
    var.mkdir()
    (var / "demo").touch()
    env = {**os.environ, "DATABASE_URL": postgres_url, "CHENGSHU_VAR": str(var),
           "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(generated)], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and "done" in done.stdout, done.stderr[-2000:]
