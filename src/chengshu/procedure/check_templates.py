"""Document templates: typst that lays out what it is handed, and asks for nothing else.

The typesetting process is shut in anyway; here a template that would reach for a file, a package or the compiler itself
does not even load.
"""

from __future__ import annotations

import re

from chengshu.procedure.files import PackFiles
from chengshu.procedure.sheets import Faults

LIBRARY = "/lib.typ"
# Typst's functions that read files, run code or reach the others by another name.
FORBIDDEN = (
    "bibliography", "cbor", "csv", "eval", "image", "include", "json", "plugin", "read", "std", "toml", "xml", "yaml",
)  # fmt: skip
_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r'|(?P<import>\bimport\b\s*(?:"(?P<path>(?:[^"\\]|\\.)*)")?)'
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    rf"|(?<![\w.-])(?P<word>{'|'.join(FORBIDDEN)})(?![\w-])",
    re.DOTALL,
)


def check_templates(files: PackFiles, faults: Faults) -> None:
    """Note what a template must not use."""
    for path in files.under("templates"):
        text = files.texts[path]
        for match in _TOKEN.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if match["import"] is not None and match["path"] != LIBRARY:
                faults.add(
                    "template-reach", f"A template imports only {LIBRARY!r}", files.name(path), line,
                    detail=match["path"] or "", remedy="what it shows comes from there, as data",
                )  # fmt: skip
            elif match["word"] is not None:
                faults.add(
                    "template-reach", f"{match['word']!r} is not allowed in a template", files.name(path), line,
                    remedy="a template lays out what it is handed; a word in a text goes into quotes",
                )  # fmt: skip
