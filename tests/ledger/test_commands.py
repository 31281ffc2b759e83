"""An operator works the ledger from the command line."""

import json
import os
import subprocess
import sys

import pytest

FILL = """
import datetime as dt, django; django.setup()
from chengshu.contexts.ledger import api
for n in range(300): api.deposit("case.event", f"case:{n}", {"n": n}, now=dt.datetime.now(dt.UTC))
"""
SPOIL = """
import django; django.setup()
from chengshu.contexts.ledger.models import LeafRow
LeafRow.objects.filter(position=123).update(reference="case:forged")
"""


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    var = tmp_path_factory.mktemp("district")
    python(var, "-m", "django", "migrate", "ledger", "--skip-checks", "--verbosity", "0")
    return var


def python(var, *words):
    values = {**os.environ, "CHENGSHU_VAR": str(var), "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}
    values.pop("DATABASE_URL", None)
    return subprocess.run([sys.executable, *words], env=values, check=True, timeout=120)


def ledger(*words, var=None):
    values = {key: value for key, value in os.environ.items() if key not in ("CHENGSHU_VAR", "DATABASE_URL")}
    program = "from chengshu.site.cli import main; main()"
    more = ["--var", str(var)] if var else []
    command = [sys.executable, "-c", program, "ledger", *words, *more]
    return subprocess.run(command, env=values, capture_output=True, text=True, timeout=120, cwd=var)


def test_the_ledger_from_its_first_entry_to_its_fall(district, tmp_path):
    empty = ledger("verify", var=district)
    assert empty.returncode == 3 and "no ledger here yet" in empty.stderr

    python(district, "-c", FILL)
    signed = ledger("checkpoint", "--sign", var=district)
    assert signed.returncode == 0 and "\n300\n" in signed.stdout
    kept = tmp_path / "kept.txt"
    kept.write_text(signed.stdout, encoding="utf-8")

    proof = ledger("prove", "7", "--json", var=district)
    assert json.loads(proof.stdout)["position"] == 6
    unknown = ledger("prove", "7000", var=district)
    assert unknown.returncode == 2 and "no entry with this id" in unknown.stderr

    rotated = json.loads(ledger("rotate-key", "--yes", "--json", var=district).stdout)
    assert rotated["announced_at"] == 300
    whole = ledger("verify", "--against", str(kept), "--json", var=district)
    report = json.loads(whole.stdout)
    assert whole.returncode == 0 and report["ok"] and report["size"] == 301

    assert ledger("export", str(tmp_path / "out"), var=district).returncode == 0
    files = ledger("verify", "--files", str(tmp_path / "out"), "--against", str(kept))
    assert files.returncode == 0 and "The ledger holds: 301 leaves" in files.stdout

    python(district, "-c", SPOIL)
    broken = ledger("verify", var=district)
    assert broken.returncode == 1 and "row 123 was changed: reference" in broken.stdout
    refused = ledger("repair", var=district)
    assert refused.returncode == 2 and "nothing is signed" in refused.stderr


def test_a_folder_that_is_no_district_is_refused(tmp_path):
    done = ledger("verify", var=tmp_path)
    assert done.returncode == 2 and "holds no district" in done.stderr


@pytest.mark.parametrize(
    "command", ["verify", "prove", "checkpoint", "rotate-key", "export", "repair", "add-witness", "witness"]
)
def test_every_command_explains_itself(command):
    done = ledger(command, "--help")
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 6


def test_a_witness_must_know_the_log(tmp_path):
    done = ledger("witness", "--dir", str(tmp_path / "w"), "--port", "0")
    assert done.returncode == 2 and "--log-key or --log" in done.stderr
