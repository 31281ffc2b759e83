"""The texts of the pages: collects what is to be translated, and compiles ``locale/en`` without gettext's tools.

``python -m chengshu.site.texts`` adds new texts to the .po file (with an empty English text), drops those that
nothing uses any more, writes the .mo file and lists what still lacks English. Plural forms are not used: the
Chinese texts have none, and an English one says "3 rows" or "rows: 3".
"""

from __future__ import annotations

import ast
import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
PO = Path(__file__).resolve().parent / "locale" / "en" / "LC_MESSAGES" / "django.po"
FUNCTIONS = {"_", "_n", "gettext", "gettext_lazy", "gettext_noop"}
HEADER = "Content-Type: text/plain; charset=UTF-8\nLanguage: en\nMIME-Version: 1.0\n"
_CALL = re.compile(r"gettext\(u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)", re.S)
MAGIC = 0x950412DE


def collect(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Return every text to be translated and the files that use it."""
    found: dict[str, set[str]] = {}
    for path in sorted([*package.rglob("*.py"), *package.rglob("templates/**/*.html")]):
        if "vendor" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        texts = in_python(source) if path.suffix == ".py" else in_template(source)
        for text in texts:
            found.setdefault(text, set()).add(path.relative_to(package).as_posix())
    return found


def in_python(source: str) -> Iterator[str]:
    """Yield the texts that a Python file marks."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in FUNCTIONS and isinstance(node.args[0].value, str) and node.args[0].value:
            yield node.args[0].value


def in_template(source: str) -> Iterator[str]:
    """Yield the texts that a template marks, by Django's own reading of templates."""
    from django.utils.translation.template import templatize

    for match in _CALL.finditer(templatize(source)):
        yield ast.literal_eval(match[1])


def read_po(path: Path = PO) -> dict[str, str]:
    """Read a .po file of single-form entries: text → English, the header left out."""
    entries: dict[str, str] = {}
    msgid, field = "", ""
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith(("msgid ", "msgstr ")):
            field, line = line.split(" ", 1)
            if field == "msgid":
                msgid = ""
        text = json.loads(line)
        if field == "msgid":
            msgid += text
        else:
            entries[msgid] = entries.get(msgid, "") + text
    entries.pop("", None)
    return entries


def write_po(entries: dict[str, str], used: dict[str, set[str]], path: Path = PO) -> None:
    """Write the .po file, sorted by the file that first uses a text, so that a page's texts stand together."""
    lines = ['msgid ""', 'msgstr ""', *(json.dumps(part + "\n") for part in HEADER.splitlines()), ""]
    for text in sorted(entries, key=lambda each: (min(used.get(each, {""})), each)):
        lines += [f"#: {' '.join(sorted(used.get(text, set())))}"]
        if "%(" in text:
            lines.append("#, python-format")
        lines += [f"msgid {quoted(text)}", f"msgstr {quoted(entries[text])}", ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def quoted(text: str) -> str:
    """Quote a text as .po files do."""
    return json.dumps(text, ensure_ascii=False)


def write_mo(entries: dict[str, str], path: Path) -> None:
    """Write the compiled catalogue: the GNU .mo format, without its optional hash table."""
    items = sorted((key.encode(), value.encode()) for key, value in {"": HEADER, **entries}.items() if value)
    count, table = len(items), 28
    offset = table + 16 * count
    keys, values, blob = b"", b"", b""
    for column in (0, 1):
        for item in items:
            entry = struct.pack("<II", len(item[column]), offset + len(blob))
            keys, values = (keys + entry, values) if column == 0 else (keys, values + entry)
            blob += item[column] + b"\0"
    head = struct.pack("<7I", MAGIC, 0, count, table, table + 8 * count, 0, offset)
    path.write_bytes(head + keys + values + blob)


def missing(entries: dict[str, str], used: dict[str, set[str]]) -> list[str]:
    """Return the texts that have no English."""
    return sorted(text for text in used if not entries.get(text))


def main() -> int:
    """Bring .po and .mo up to date; exit 1 while something lacks English."""
    used = collect()
    known = read_po() if PO.exists() else {}
    entries = {text: known.get(text, "") for text in used}
    write_po(entries, used)
    write_mo(entries, PO.with_suffix(".mo"))
    lacking = missing(entries, used)
    for text in lacking:
        print(f"{min(used[text])}: {text}")
    print(f"{len(entries)} texts, {len(lacking)} without English", file=sys.stderr)
    return 1 if lacking else 0


if __name__ == "__main__":
    from django.conf import settings

    settings.configure()  # templatize() asks for the settings' charset and nothing else
    raise SystemExit(main())
