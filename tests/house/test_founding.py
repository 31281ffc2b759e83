"""A data bureau founds its district: a drafted folder, its own zones, an administrator; nothing of the demo."""

import json
import os
import subprocess
import sys
from pathlib import Path

CHENGSHU = str(Path(sys.executable).with_name("chengshu"))
ZONE = {
    "type": "Polygon",
    "coordinates": [[[113.8, 22.5], [113.9, 22.5], [113.9, 22.6], [113.8, 22.6], [113.8, 22.5]]],
}
SIGN_IN = """
import sys
from chengshu.site.cli.common import setup_django
setup_django()
from django.test import Client
answer = Client().post("/sign-in", {"username": sys.argv[1], "password": sys.argv[2]})
print(answer.status_code)
"""


def run(var: Path, *command: str, code: int = 0) -> str:
    environment = {**os.environ, "CHENGSHU_VAR": str(var), "CHENGSHU_ADMIN_PASSWORD": "a-long-password"}
    result = subprocess.run(list(command), env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_from_a_draft_to_the_first_sign_in(tmp_path):
    folder, var = tmp_path / "district", tmp_path / "live"
    run(var, CHENGSHU, "init", str(folder), "--draft", "330106")
    zones = [{"type": "Feature", "properties": {"code": "1"}, "geometry": ZONE}]
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": zones}))
    said = run(var, CHENGSHU, "init", str(folder), "--admin", "li.wei")
    assert "1 zones" in said
    assert "already" in run(var, CHENGSHU, "init", str(folder), "--admin", "li.wei")
    assert run(var, sys.executable, "-c", SIGN_IN, "li.wei", "a-long-password").startswith("302")
    assert not run(var, sys.executable, "-c", SIGN_IN, "steward", "chengshu-demo").startswith("302")
    assert "not a demo" in run(var, CHENGSHU, "demo", "--no-serve", code=2)


def test_a_folder_without_zones_says_so(tmp_path):
    folder, var = tmp_path / "district", tmp_path / "live"
    run(var, CHENGSHU, "init", str(folder), "--draft", "330106")
    assert "zones.geojson" in run(var, CHENGSHU, "init", str(folder), "--admin", "li.wei", code=2)


def test_an_unknown_code_is_refused_and_nothing_written(tmp_path):
    folder = tmp_path / "district"
    assert "999999" in run(tmp_path / "live", CHENGSHU, "init", str(folder), "--draft", "999999", code=2)
    assert not folder.exists()
