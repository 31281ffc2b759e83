"""An archive's information package: a ZIP with content, metadata, a manifest of digests and a seal; made and checked offline.

The idea is OAIS's archival information package; the four properties that are checked (真实性 authentic, 完整性 whole, 可用性
usable, 安全性 safe) are those of DA/T 70 and GB/T 18894, known to us by their names and purpose, not by their text.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chengshu.kernel.canonical import canonical_json

FORMAT = "chengshu-archive/1"
METADATA, MANIFEST, SEAL = "metadata.json", "manifest.json", "seal.jws"
MAX_FILES, MAX_BYTES = 2_000, 2_000_000_000
# What is kept for long: formats that can be read without any one maker's program.
FORMATS: Mapping[str, tuple[str, bytes]] = {
    ".json": ("application/json", b""),
    ".txt": ("text/plain; charset=utf-8", b""),
    ".pdf": ("application/pdf", b"%PDF-"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
}
# What must be said of every package.
NEEDED = (
    "number",
    "version",
    "case",
    "pack",
    "title",
    "department",
    "opened_at",
    "closed_at",
    "outcome",
    "retention",
    "materials",
    "steps",
)
AUTHENTIC, WHOLE, USABLE, SAFE = "authentic", "whole", "usable", "safe"
PROPERTIES: Mapping[str, Mapping[str, str]] = {
    AUTHENTIC: {"zh": "真实性", "en": "authentic"},
    WHOLE: {"zh": "完整性", "en": "whole"},
    USABLE: {"zh": "可用性", "en": "usable"},
    SAFE: {"zh": "安全性", "en": "safe"},
}
# In a PDF: what runs by itself or starts a program.
_ACTIVE = (b"/JavaScript", b"/Launch")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the package: where it lies in it, and its bytes."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; ``ok`` is None where it could not be made."""

    quality: str
    ok: bool | None
    zh: str
    en: str


@dataclass(slots=True)
class Report:
    """What is known of a package after the check."""

    metadata: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return whether nothing was found wrong and everything could be checked."""
        return bool(self.findings) and all(each.ok for each in self.findings)

    def note(self, quality: str, ok: bool | None, zh: str, en: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(quality, ok, printable(zh), printable(en)))

    def of(self, quality: str) -> bool | None:
        """Return how a property stands: False where anything is wrong, None where something could not be checked."""
        found = [each.ok for each in self.findings if each.quality == quality]
        return False if False in found else None if None in found or not found else True


def build(metadata: Mapping[str, Any], entries: Sequence[Entry], seal: Callable[[str], str]) -> bytes:
    """Return the package; the same content makes the same bytes but for the seal, which signs the manifest's digest."""
    files = sorted([*entries, Entry(METADATA, canonical_json(metadata))], key=lambda each: each.path)
    if len({each.path for each in files}) != len(files):
        raise ValueError("two files of one name")
    manifest = canonical_json(
        {
            "format": FORMAT,
            "number": metadata["number"],
            "version": metadata["version"],
            "algorithm": "SHA-256",
            "files": [
                {
                    "path": each.path,
                    "size": len(each.content),
                    "digest": digest_of(each.content),
                    "format": _format(each.path)[0],
                }
                for each in files
            ],
        }
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in [
            *files,
            Entry(MANIFEST, manifest),
            Entry(SEAL, seal(digest_of(manifest)).encode("ascii")),
        ]:
            # No clock and no machine in it.
            packed.writestr(
                zipfile.ZipInfo(each.path, (1980, 1, 1, 0, 0, 0)), each.content, zipfile.ZIP_DEFLATED
            )
    return out.getvalue()


def printable(text: str) -> str:
    """Return a text that a terminal may show: names in a stranger's package may hold its commands."""
    return "".join(each if each.isprintable() else "?" for each in text)


def digest_of(content: bytes) -> str:
    """Return a SHA-256 digest as the manifest writes it."""
    return hashlib.sha256(content).hexdigest()


def check(content: bytes, opened: Callable[[str], Mapping[str, Any]] | None = None) -> Report:
    """Check a package for the four properties. ``opened`` returns what a seal says, or raises ``ValueError``: nobody's known."""
    report = Report()
    try:
        files = _unpacked(content)
        manifest, metadata = json.loads(files[MANIFEST]), json.loads(files[METADATA])
        named = {str(each["path"]): (each["size"], each["digest"]) for each in manifest["files"]}
        if not isinstance(metadata, dict):
            raise ValueError("metadata that are none")
    except Exception as error:
        # Whatever breaks the readers of ZIP and JSON: a stranger's file is refused with a reason, never with a crash.
        why = f"{type(error).__name__}: {error}"[:300]
        report.note(WHOLE, False, f"档案包无法读取：{why}", f"The package cannot be read: {why}")
        return report
    report.metadata = metadata
    report.note(
        SAFE,
        True,
        "包内没有越界路径、加密或超限的文件",
        "No path leads out, nothing is encrypted or beyond the limits",
    )
    _check_seal(report, files, opened)
    _check_metadata(report, manifest)
    _check_whole(report, files, named)
    _check_files(report, {path: files[path] for path in named if path in files})
    return report


def _unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        infos = packed.infolist()
        if len(infos) > MAX_FILES or sum(each.file_size for each in infos) > MAX_BYTES:
            raise ValueError("more or larger files than a package has")
        for each in infos:
            parts = each.filename.split("/")
            if each.filename.startswith("/") or ".." in parts or "\\" in each.filename or each.flag_bits & 1:
                raise ValueError(f"unsafe: {each.filename!r}")
        if len({each.filename for each in infos}) != len(infos):
            raise ValueError("two files of one name")
        return {each.filename: packed.read(each) for each in infos}


def _check_seal(
    report: Report, files: Mapping[str, bytes], opened: Callable[[str], Mapping[str, Any]] | None
) -> None:
    if SEAL not in files:
        report.note(AUTHENTIC, False, "没有签章", "There is no seal")
    elif opened is None:
        report.note(
            AUTHENTIC, None, "没有信任名单，未核验签章", "No trust list is at hand: the seal was not verified"
        )
    else:
        try:
            said = opened(files[SEAL].decode("ascii"))
            held = said["manifest"] == digest_of(files[MANIFEST]) and said["number"] == report.metadata.get(
                "number"
            )
        except (ValueError, KeyError, TypeError) as error:
            report.note(AUTHENTIC, False, f"签章不成立：{error}", f"The seal does not hold: {error}")
            return
        report.note(
            AUTHENTIC,
            held,
            "签章与清单相符" if held else "签章签的是另一份清单",
            "The seal is over this manifest" if held else "The seal is over another manifest",
        )


def _check_metadata(report: Report, manifest: Mapping[str, Any]) -> None:
    missing = [name for name in NEEDED if report.metadata.get(name) in (None, "")]
    if missing:
        report.note(
            AUTHENTIC, False, f"元数据缺：{'、'.join(missing)}", f"Metadata missing: {', '.join(missing)}"
        )
    else:
        report.note(AUTHENTIC, True, "元数据齐全", "The metadata are complete")
    if all(manifest.get(name) == report.metadata.get(name) for name in ("number", "version")):
        report.note(WHOLE, True, "清单与元数据的档号一致", "Number and version agree")
    else:
        report.note(WHOLE, False, "清单与元数据的档号不一致", "Number or version disagree")


def _check_whole(report: Report, files: Mapping[str, bytes], named: Mapping[str, tuple[Any, Any]]) -> None:
    lost = sorted(set(named) - set(files))
    more = sorted(set(files) - set(named) - {MANIFEST, SEAL})
    changed = sorted(
        path for path in set(named) & set(files) if named[path] != (len(files[path]), digest_of(files[path]))
    )
    for paths, zh, en in (
        (lost, "缺少文件", "missing"),
        (more, "多出文件", "not in the manifest"),
        (changed, "文件被改动", "changed"),
    ):
        if paths:
            report.note(WHOLE, False, f"{zh}：{'、'.join(paths)}", f"Files {en}: {', '.join(paths)}")
    if not (lost or more or changed):
        report.note(
            WHOLE,
            True,
            f"{len(named)} 个文件与清单的摘要一致",
            f"{len(named)} files agree with their digests",
        )
    materials = sum(path.startswith("materials/") for path in files)
    wanted = report.metadata.get("materials")
    report.note(
        WHOLE,
        materials == wanted,
        f"材料 {materials} 份，应有 {wanted} 份",
        f"{materials} materials of {wanted}",
    )
    _check_history(report, files)


def _check_history(report: Report, files: Mapping[str, bytes]) -> None:
    try:
        steps = [each["seq"] for each in json.loads(files.get("data/history.json", b"[]"))]
    except (ValueError, TypeError, KeyError, RecursionError):
        steps = []
    whole = (
        bool(steps) and steps == list(range(1, len(steps) + 1)) and len(steps) == report.metadata.get("steps")
    )
    report.note(
        WHOLE,
        whole,
        "经过从第 1 步起没有缺号" if whole else "经过有缺号",
        "No step is missing" if whole else "Steps are missing",
    )


def _check_files(report: Report, files: Mapping[str, bytes]) -> None:
    unread = sorted(path for path, content in files.items() if not _readable(path, content))
    if unread:
        report.note(
            USABLE,
            False,
            f"格式不符或无法读取：{'、'.join(unread)}",
            f"Of no known format, or not readable: {', '.join(unread)}",
        )
    else:
        report.note(
            USABLE, True, "格式都适合长期保存，可以读取", "All files can be read, in formats for long keeping"
        )
    pdfs = {path: content for path, content in files.items() if path.endswith(".pdf")}
    active = sorted(path for path, content in pdfs.items() if any(each in content for each in _ACTIVE))
    if active:
        report.note(
            SAFE,
            False,
            f"PDF 含脚本或启动动作：{'、'.join(active)}",
            f"PDFs that run something: {', '.join(active)}",
        )
    else:
        report.note(SAFE, True, "PDF 不含脚本和启动动作", "No PDF runs a script or starts a program")


def _readable(path: str, content: bytes) -> bool:
    try:
        _media, head = _format(path)
        if path.endswith(".json"):
            json.loads(content)
        elif path.endswith(".txt"):
            content.decode("utf-8")
    except (ValueError, RecursionError):
        return False
    return content.startswith(head) and (not path.endswith(".pdf") or b"%%EOF" in content[-2_048:])


def _format(path: str) -> tuple[str, bytes]:
    ending = f".{path.rpartition('.')[2]}"
    if ending not in FORMATS:
        raise ValueError(f"no format for long keeping: {path}")
    return FORMATS[ending]
