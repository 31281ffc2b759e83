"""The district that this installation serves: its folder ``var/district`` and its name on the pages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import load_yaml

FOLDER = "district"
NOBODY: dict[str, Any] = {
    "name": {"zh": "未设定的区", "en": "a district not yet set up"},
    "operator": {"zh": "未设定", "en": "not set"},
    "contact": {"zh": "", "en": ""},
}


def describe(var: Path) -> dict[str, Any]:
    """Return name, operator and contact of the district in ``var``; placeholders before it is set up."""
    path = var / FOLDER / "district.yaml"
    if not path.exists():
        return NOBODY
    return {**NOBODY, **read_district(path.parent)}


def read_district(folder: Path) -> dict[str, Any]:
    """Read and check ``district.yaml`` in ``folder``."""
    path = folder / "district.yaml"
    if not path.exists():
        raise Problem(
            "district-file-missing",
            "The folder holds no district.yaml",
            where=Where(file=str(path)),
            remedy="copy districts/baoan as a model, or run chengshu init --draft DIR",
        )
    declared: dict[str, Any] = load_yaml(path)
    for field in ("code", "name", "divisions", "zones"):
        if not declared.get(field):
            raise Problem(
                "district-field-missing",
                f"district.yaml lacks {field}",
                where=Where(str(path), 1, None, field),
            )
    code = str(declared["code"])
    if not (code.isdigit() and len(code) == 6):
        line = declared.lines.get("code") if hasattr(declared, "lines") else None
        raise Problem(
            "district-code",
            f"{code!r} is not a six-digit division code",
            where=Where(str(path), line, None, "code"),
        )
    require_files(folder, declared, path)
    return dict(declared)


def require_files(folder: Path, declared: dict[str, Any], path: Path) -> None:
    """Raise a ``Problem`` for the first file that district.yaml names and the folder lacks."""
    for field in ("divisions", "zones", "zone_streets", "departments", "cells", "library"):
        name = declared.get(field)
        if name and not (folder / str(name)).is_file():
            raise Problem(
                "district-part-missing",
                f"district.yaml names {name}, and the folder has no such file",
                where=Where(str(path), getattr(declared, "lines", {}).get(field), None, field),
                remedy="add the file, or correct its name; docs/how-to/real-district.md says what belongs in it",
            )


def install_folder(folder: Path, var: Path) -> Path:
    """Copy the district folder into ``var``: what runs does not change when the original does."""
    target = var / FOLDER
    part = var / f".{FOLDER}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(folder, part)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    return target
