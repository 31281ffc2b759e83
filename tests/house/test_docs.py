"""A newcomer follows the docs: links lead somewhere, and the commands named exist."""

import re
from pathlib import Path

import pytest

from chengshu.site.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|[`\s])chengshu ([a-z]+)")
PROSE = {"app", "is", "by"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_named_in_code_exist(page):
    code = "\n".join(re.findall(r"`[^`\n]+`|^    .+$", page.read_text(encoding="utf-8"), flags=re.M))
    for name in COMMAND.findall(code):
        assert name in COMMANDS or name in PROSE, f"{page.name} names chengshu {name}"
