"""A pack's files as texts, and the hash that pins them: one version is the same wherever it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chengshu.kernel.canonical import digest
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import MAX_BYTES

MAX_FILES = 400
SINGLE = ("pack.yaml", "articles.yaml", "form.yaml", "states.yaml", "deadlines.yaml")
FOLDERS = {
    "decisions": ".yaml",
    "parameters": ".yaml",
    "texts": ".yaml",
    "templates": ".typ",
    "cases": ".yaml",
}


@dataclass(frozen=True, slots=True)
class PackFiles:
    """Relative path → text. ``root`` stands before each path in messages."""

    root: str
    texts: Mapping[str, str]

    def name(self, path: str) -> str:
        """Return how messages call a file."""
        return f"{self.root}/{path}" if self.root else path

    def under(self, folder: str) -> list[str]:
        """Return the paths in a folder, sorted."""
        return sorted(path for path in self.texts if path.startswith(f"{folder}/"))

    def hash(self) -> str:
        """Return the content hash. Golden cases are left out: they test a version, they do not change it."""
        return digest({path: text for path, text in self.texts.items() if not path.startswith("cases/")})


def read_files(folder: Path) -> PackFiles:
    """Read a pack's folder; files that no pack has are refused, links out of it are never followed."""
    if not folder.is_dir():
        raise Problem("pack-missing", "There is no such folder", where=Where(file=str(folder)))
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        _known(path, relative)
        texts[relative] = _text(path)
    if len(texts) > MAX_FILES:
        raise Problem(
            "pack-too-large", f"A pack has at most {MAX_FILES} files", where=Where(file=str(folder))
        )
    return PackFiles(str(folder), texts)


def _known(path: Path, relative: str) -> None:
    folder, _, name = relative.rpartition("/")
    fits = relative in SINGLE or relative == "README.md" or name.endswith(FOLDERS.get(folder, "\x00"))
    if path.is_symlink() or not fits:
        raise Problem(
            "pack-file-unknown",
            "A pack has no such file",
            where=Where(file=str(path)),
            remedy=f"a pack has {', '.join(SINGLE)} and the folders {', '.join(FOLDERS)}",
        )


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise Problem(
            "pack-too-large", f"The file has more than {MAX_BYTES} bytes", where=Where(file=str(path))
        )
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Problem("yaml-not-utf8", "The file is not UTF-8", where=Where(file=str(path))) from error
