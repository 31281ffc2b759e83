"""An operator saves a district and restores it elsewhere: nothing is missing, and a rollback is noticed."""

import json
import os
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


@pytest.fixture
def district(tmp_path):
    made = District(tmp_path / "here" / "var")
    made.chengshu("upgrade")
    (made.var / "files").mkdir()
    (made.var / "files" / "photo.jpg").write_bytes(b"a photo")
    made.act(5, "first")
    return made


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
