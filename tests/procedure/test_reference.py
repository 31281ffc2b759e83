"""The reference page says what the code does: it is made from it, and lists every code that can be met."""

from __future__ import annotations

import re
from pathlib import Path

from chengshu.procedure.fault_codes import FIELDS, LOADING, PLAYING, RUNNING
from chengshu.procedure.reference import reference

ROOT = Path(__file__).parents[2]
# Hyphenated words of the source that are no codes.
NO_CODES = {"house-rule", "no-such-command", "utf-8-sig"}


def test_the_page_is_the_one_that_the_code_makes():
    page = (ROOT / "docs" / "reference" / "packs.md").read_text("utf-8")
    assert page == reference(), "run: python -m chengshu.procedure.reference > docs/reference/packs.md"


def test_every_code_is_explained_and_every_explained_code_exists():
    source = ROOT / "src" / "chengshu"
    files = [
        path
        for path in (source / "procedure").glob("*.py")
        if path.name not in ("fault_codes.py", "starter.py")
    ]
    files += [source / "kernel" / name for name in ("strict_yaml.py", "citations.py", "terms.py")]
    words = {
        word for path in files for word in re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', path.read_text("utf-8"))
    }
    explained = {*LOADING, *PLAYING, *RUNNING, *FIELDS}
    hyphenated = {code for code in explained if "-" in code}
    assert words - NO_CODES - hyphenated == set(), "explain these in fault_codes.py"
    assert hyphenated - words == set(), "these are not met any more"
    assert set(FIELDS) >= {"required", "unknown", "check", "format"}
