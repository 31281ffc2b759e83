"""Finds, in the code, every function that reads full values of people, and what it calls besides."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

import chengshu

PACKAGE = Path(chengshu.__file__).parent
# What hands out whole golden records, or rows of them.
READERS = {"effective_record", "record_of", "provenance", "people_with"}
# Rows of golden records; the word means something else in other contexts.
ROWS, ROWS_IN = "in_force", "contexts/subjects/"
MAKING = (
    "PersonalRead.objects.create",
    "PersonalRead.objects.bulk_create",
    "PersonalRead.objects.get_or_create",
)
# What puts a look on record: all end in identity.store.record_read or identity.disclosures.record_disclosure.
RECORDERS = {"record_read", "record_reads", "record_disclosure", "note_read"}


@dataclass
class Function:
    """One function: the readers it calls, and all names that it calls."""

    name: str
    readers: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    makes_reads: bool = False


def called(node: ast.Call) -> str:
    """Return the last part of what is called: ``subjects.effective_record`` and ``effective_record`` are one."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def functions() -> dict[str, Function]:
    """Return every function of the program by ``module:name``; one inside another counts with the outer one."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).with_suffix("").as_posix()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            parts = node.body if isinstance(node, ast.ClassDef) else [node]
            owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
            for part in parts:
                name = owner + getattr(part, "name", "<module>")
                one = found.setdefault(f"{module}:{name}", Function(name))
                for inner in ast.walk(part):
                    if isinstance(inner, ast.Call):
                        one.calls.add(called(inner))
                    if isinstance(inner, ast.Name) and inner.id == "GoldenRecord":
                        one.readers.add("GoldenRecord")
                    makes = ast.unparse(inner.func) if isinstance(inner, ast.Call) else ""
                    if makes == "PersonalRead" or makes.startswith(MAKING):
                        one.makes_reads = True
                one.readers |= one.calls & (READERS | ({ROWS} if module.startswith(ROWS_IN) else set()))
    return {key: one for key, one in found.items() if one.calls or one.readers}
