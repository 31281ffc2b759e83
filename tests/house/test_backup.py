"""An operator saves a district and restores it elsewhere: nothing is missing, and a rollback is noticed."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

CHENGSHU = str(Path(sys.executable).with_name("chengshu"))
ACTS = """
import sys, datetime as dt
from chengshu.site.cli.common import setup_django
setup_django()
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.identity.models import Department
now = dt.datetime.now(dt.UTC)
for number in range(int(sys.argv[1])):
    ledger.deposit("test-act", f"act:{sys.argv[2]}:{number}", {"number": number}, now=now)
Department.objects.update_or_create(code=sys.argv[2], defaults={"name_zh": "部门", "name_en": "Department"})
ledger.sequence(now, takeover=True)
"""


class District:
    """One installation in a folder of its own."""

    def __init__(self, var: Path, database: str = "") -> None:
        self.var = var
        self.environment = {**os.environ, "CHENGSHU_VAR": str(var)}
        self.environment.pop("DATABASE_URL", None)
        if database:
            self.environment["DATABASE_URL"] = database

    def chengshu(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self._run([CHENGSHU, *arguments], code)

    def act(self, number: int, name: str) -> None:
        self._run([sys.executable, "-c", ACTS, str(number), name], 0)

    def _run(self, command: list[str], code: int) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert result.returncode == code, result.stdout + result.stderr
        return result


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A district with five acts; each test takes a copy of it."""
    made = District(tmp_path_factory.mktemp("begun") / "var")
    made.chengshu("upgrade")
    (made.var / "files").mkdir()
    (made.var / "files" / "photo.jpg").write_bytes(b"a photo")
    made.act(5, "first")
    return made.var


@pytest.fixture
def district(begun, tmp_path):
    return District(Path(shutil.copytree(begun, tmp_path / "here" / "var")))


def test_restored_elsewhere_everything_is_there_and_the_ledger_verifies(district, tmp_path):
    made = json.loads(district.chengshu("backup", str(tmp_path / "b.tar"), "--json").stdout)
    assert made["tree_size"] == 5
    other = District(tmp_path / "there" / "var")
    other.chengshu("restore", str(tmp_path / "b.tar"))
    assert (other.var / "files" / "photo.jpg").read_bytes() == b"a photo"
    assert "5" in other.chengshu("ledger", "verify").stdout
    other.act(2, "later")
    other.chengshu("ledger", "verify")


def test_a_rollback_is_noticed_against_a_checkpoint_kept_outside(district, tmp_path):
    district.chengshu("backup", str(tmp_path / "b.tar"))
    district.act(3, "after-the-backup")
    outside = tmp_path / "outside.checkpoint"
    outside.write_text(district.chengshu("ledger", "checkpoint").stdout)
    other = District(tmp_path / "there" / "var")
    other.chengshu("restore", str(tmp_path / "b.tar"))
    other.chengshu("ledger", "verify")
    result = other.chengshu("ledger", "verify", "--against", str(outside), code=1)
    assert "5" in result.stdout + result.stderr


def test_a_damaged_backup_is_refused_and_leaves_nothing(district, tmp_path):
    whole, broken = tmp_path / "b.tar", tmp_path / "broken.tar"
    district.chengshu("backup", str(whole))
    with tarfile.open(whole) as source, tarfile.open(broken, "w") as target:
        for member in source:
            body = source.extractfile(member).read()
            if member.name == "files/photo.jpg":
                body = b"a phot0"
            import io

            member.size = len(body)
            target.addfile(member, io.BytesIO(body))
    other = District(tmp_path / "there" / "var")
    result = other.chengshu("restore", str(broken), code=2)
    assert "files/photo.jpg" in result.stderr
    assert not other.var.exists()


def test_a_folder_in_use_is_not_overwritten(district, tmp_path):
    district.chengshu("backup", str(tmp_path / "b.tar"))
    assert "not empty" in district.chengshu("restore", str(tmp_path / "b.tar"), code=2).stderr
    assert "already" in district.chengshu("backup", str(tmp_path / "b.tar"), code=2).stderr


def test_postgresql_goes_and_comes_back_too(tmp_path, postgres_url):
    here = District(tmp_path / "here" / "var", postgres_url)
    here.chengshu("upgrade")
    here.act(4, "first")
    here.chengshu("backup", str(tmp_path / "b.tar"))
    here.act(2, "lost")
    there = District(tmp_path / "there" / "var", postgres_url)
    there.chengshu("restore", str(tmp_path / "b.tar"))
    assert "4" in there.chengshu("ledger", "verify").stdout
    there.act(1, "new")
    there.chengshu("ledger", "verify")


CHECK = """
import json
from chengshu.site.cli.common import setup_django
setup_django()
from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, CaseEvent
faults = {key: found for key in Case.objects.values_list("pk", flat=True) if (found := cases.check_case(key))}
cases_there = list(Case.objects.values_list("pk", flat=True))
print(json.dumps({"cases": cases_there, "events": CaseEvent.objects.count(), "faults": faults}))
"""
WRITER = Path(__file__).with_name("load_writer.py")


def drill(here, there, tmp_path):
    """Back up while steps are written, restore elsewhere, look at everything, and notice the rollback."""
    here.chengshu("upgrade")
    writer = subprocess.Popen(
        [sys.executable, str(WRITER)],
        env=here.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        before = [writer.stdout.readline().strip() for _ in range(8)]
        assert all(before), writer.stderr.read()
        made = json.loads(here.chengshu("backup", str(tmp_path / "b.tar"), "--json").stdout)
        # Work goes on during and after the backup.
        after = [writer.stdout.readline().strip() for _ in range(8)]
        assert all(after)
    finally:
        writer.kill()
        writer.communicate()
    here.act(1, "last")
    outside = tmp_path / "outside.checkpoint"
    outside.write_text(here.chengshu("ledger", "checkpoint").stdout)

    there.chengshu("restore", str(tmp_path / "b.tar"))
    there.chengshu("ledger", "verify")
    found = json.loads(there._run([sys.executable, "-c", CHECK], 0).stdout.splitlines()[-1])
    assert found["faults"] == {}
    # What was acknowledged before the backup began is in it, and no case lies between two steps.
    assert set(before) <= set(found["cases"]) and found["events"] >= 3 * len(before)
    assert made["tree_size"] <= found["events"]
    told = there.chengshu("ledger", "verify", "--against", str(outside), code=1)
    assert "cut off" in told.stdout + told.stderr
    # The restored district goes on by itself.
    there.act(2, "new")
    there.chengshu("ledger", "verify")


@pytest.mark.full
def test_a_backup_taken_under_load_restores_whole_and_its_rollback_is_noticed(tmp_path):
    drill(District(tmp_path / "here" / "var"), District(tmp_path / "there" / "var"), tmp_path)


@pytest.mark.full
@pytest.mark.postgres
def test_the_same_drill_on_postgresql(tmp_path, postgres_server):
    from tests_support.postgres import new_database

    here = District(tmp_path / "here" / "var", new_database(postgres_server))
    drill(here, District(tmp_path / "there" / "var", new_database(postgres_server)), tmp_path)
