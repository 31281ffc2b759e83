"""The tutorial does what it says: its files are written, its commands run, its outputs appear."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from chengshu.site.cli import root

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "regulation-to-service.md"
BLOCK = re.compile(r"^```(?P<kind>\w+)(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.django_db
def test_the_tutorial_does_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said, ran, compared = "", 0, 0
    for block in BLOCK.finditer(PAGE.read_text("utf-8")):
        info = dict(re.findall(r'(\w+)="([^"]+)"', block["info"]))
        if block["kind"] == "yaml":
            write(Path(info["title"]), block["body"], info.get("from"))
        elif block["kind"] == "sh":
            said = ""
            for line in block["body"].splitlines():
                program, *arguments = line.split()
                result = CliRunner().invoke(root, arguments)
                assert program == "chengshu" and result.exit_code == 0, f"{line}\n{result.output}"
                said, ran = said + result.output, ran + 1
        elif block["kind"] == "text":
            for line in block["body"].splitlines():
                assert line.strip() in said, f"{line!r} is not in\n{said}"
                compared += 1
    assert ran >= 11 and compared >= 9
    assert Path("open-information.svg").read_text("utf-8").startswith("<svg")


def write(path: Path, text: str, base: str | None) -> None:
    if base is None:
        path.write_text(text, encoding="utf-8")
        return
    # A changed copy: the block names a term and its new length.
    shutil.copytree(base, path.parent)
    name, length = re.fullmatch(r"\s*(\w+): \{term: ([^}]+)\}\s*", text).groups()
    changed = re.sub(rf"(  {name}:\n(?:    .*\n)*?    term: ).*", rf"\g<1>{length}", path.read_text("utf-8"))
    path.write_text(changed, encoding="utf-8")


def test_its_example_of_a_misspelt_name_is_told_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(root, ["pack", "new", "open-information"])
    for block in BLOCK.finditer(PAGE.read_text("utf-8")):
        info = dict(re.findall(r'(\w+)="([^"]+)"', block["info"]))
        if block["kind"] == "yaml" and "from" not in info:
            write(
                Path(info["title"]),
                block["body"].replace(
                    "sets: {correct_by: data.correct_by}", "sets: {correct_by: data.correct_bye}"
                ),
                None,
            )
    result = CliRunner().invoke(root, ["pack", "check", "open-information"])
    assert result.exit_code == 1
    assert "states.yaml, line 25" in result.output and "did you mean 'data.correct_by'" in result.output
