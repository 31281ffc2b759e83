"""A pack's files as texts, and the hash that pins them: one version is the same wherever it lies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chengshu.kernel.canonical import digest
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import MAX_BYTES, parse_yaml

MAX_FILES = 400
_PACK_ID = re.compile(r"^[a-z0-9][a-z0-9-]{0,49}$")
SINGLE = ("pack.yaml", "articles.yaml", "form.yaml", "states.yaml", "deadlines.yaml")
# What a pack may have besides: its parts, the forms on paper that it stands for, its uses of data, what it offers to whom.
OPTIONAL = ("parts.yaml", "official_forms.yaml", "uses.yaml", "offer.yaml")
# What tests and measures a version and does not change it: left out of its hash.
BESIDE = ("cases/", "official_forms.yaml")
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
    # Files that came from the pack that this one extends: path → how messages call them.
    borrowed: Mapping[str, str] = field(default_factory=dict)

    def name(self, path: str) -> str:
        """Return how messages call a file."""
        if path in self.borrowed:
            return self.borrowed[path]
        return f"{self.root}/{path}" if self.root else path

    def under(self, folder: str) -> list[str]:
        """Return the paths in a folder, sorted."""
        return sorted(path for path in self.texts if path.startswith(f"{folder}/"))

    def hash(self) -> str:
        """Return the content hash, without golden cases and official forms: they test and measure, they change nothing."""
        return digest({path: text for path, text in self.texts.items() if not path.startswith(BESIDE)})


# Where the files of the extended pack stand that are merged key by key, beside the thin pack's own.
BASE = "base/"
MERGED = ("pack.yaml", "articles.yaml", "form.yaml", "texts/zh.yaml", "texts/en.yaml")
FindBase = Callable[[str, str], PackFiles | None]


def read_files(folder: Path, find_base: FindBase | None = None) -> PackFiles:
    """Read a pack's folder and, where it extends another, that one's: a sibling folder, or what ``find_base`` gives.

    Files that no pack has are refused, links out of the folder are never followed.
    """
    files = _read_folder(folder)
    wanted = _extended(files)
    if wanted is None:
        return files
    return extend(files, _base_of(folder, files, *wanted, find_base))


def _extended(files: PackFiles) -> tuple[str, str] | None:
    """Return the pack and version that a pack extends; what is wrong with the file is said when it is checked."""
    text = files.texts.get("pack.yaml", "")
    if "extends" not in text:
        return None
    head = parse_yaml(text, files.name("pack.yaml"))
    found = head.get("extends") if isinstance(head, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    return str(found.get("pack", "")), str(found.get("version", ""))


def _base_of(
    folder: Path, files: PackFiles, pack: str, version: str, find_base: FindBase | None
) -> PackFiles:
    where = Where(file=files.name("pack.yaml"))
    # A name, never a path: nothing outside the folder of packs is read.
    sibling = folder.resolve().parent / pack if _PACK_ID.match(pack) else None
    base = _read_folder(sibling) if sibling is not None and (sibling / "pack.yaml").is_file() else None
    if base is not None and _version(base) != version:
        base = None
    if base is None and find_base is not None and _PACK_ID.match(pack):
        base = find_base(pack, version)
    if base is None:
        raise Problem(
            "pack-extends", f"There is no pack {pack!r} of version {version!r} to extend", where=where, status=422,
            remedy="put its folder beside this one, or load that version first",
        )  # fmt: skip
    if _extended(base) is not None:
        raise Problem("pack-extends", f"{pack!r} extends another pack itself", where=where, status=422)
    return base


def _version(files: PackFiles) -> str:
    head = parse_yaml(files.texts["pack.yaml"], files.name("pack.yaml"))
    return str(head.get("version", "")) if isinstance(head, Mapping) else ""


def extend(own: PackFiles, base: PackFiles) -> PackFiles:
    """Return a thin pack with the files of its base: whole ones where it has none, those merged by key under base/."""
    texts, borrowed = dict(own.texts), {}
    for path, text in base.texts.items():
        target = BASE + path if path in MERGED else path
        if target not in texts and path not in ("README.md", "official_forms.yaml"):
            texts[target], borrowed[target] = text, base.name(path)
    return PackFiles(own.root, texts, borrowed)


def _read_folder(folder: Path) -> PackFiles:
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
    fits = relative in (*SINGLE, *OPTIONAL, "README.md") or name.endswith(FOLDERS.get(folder, "\x00"))
    # Neither links nor pipes and devices, which could block or never end.
    if path.is_symlink() or not path.is_file() or not fits:
        raise Problem(
            "pack-file-unknown",
            "A pack has no such file",
            where=Where(file=str(path)),
            remedy=f"a pack has {', '.join((*SINGLE, *OPTIONAL))} and the folders {', '.join(FOLDERS)}",
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
