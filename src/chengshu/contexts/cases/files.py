"""Evidence files: bounded, looked at by a virus scanner where there is one, photos re-encoded so that nothing but the
picture is kept, stored by their digest.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from chengshu.contexts.cases.domain import FileIn
from chengshu.contexts.cases.models import DraftFile, EvidenceFile, UploadedFile
from chengshu.contexts.cases.scanning import scan
from chengshu.kernel import kept_files
from chengshu.kernel.problems import Problem

MAX_PHOTO_BYTES = 12_000_000
MAX_DOCUMENT_BYTES = 20_000_000
MAX_PIXELS = 60_000_000
LONGEST_SIDE = 2_560
QUALITY = 85
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP")
_PDF = b"%PDF-"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies in the store."""

    digest: str
    name: str
    media_type: str
    size: int
    field: str
    # What looked at it ("clamd", "clamscan"); empty when no scanner is set up.
    scanned: str = ""


def store_files(sent: Iterable[FileIn], accept: str) -> list[Stored]:
    """Check, scan, clean and store files; the bytes are on disk before any row names them."""
    return [_stored(item, accept) for item in sent]


def _stored(item: FileIn, accept: str) -> Stored:
    largest = MAX_DOCUMENT_BYTES if accept == "document" else MAX_PHOTO_BYTES
    if len(item.content) > largest:
        raise _refused("too-large", _too_large(largest), item)
    # What was sent is scanned, not what is left of it after cleaning: the reader of the log should know.
    scanner = scan(item.content, _safe_name(item.name), item.field)
    content, media_type = _cleaned(item, accept)
    return _store(content, media_type, item, scanner)


def limits(accept: str, most: int) -> str:
    """Say how many files of which kinds and sizes a field takes."""
    if accept == "document":
        return _("最多 %(most)s 个文件：PDF 每个不超过 20 MB，照片（JPEG、PNG、WebP）每个不超过 12 MB") % {
            "most": most
        }
    return _("最多 %(most)s 张照片（JPEG、PNG、WebP），每张不超过 12 MB") % {"most": most}


def _too_large(largest: int) -> str:
    return _("文件超过 20 MB") if largest == MAX_DOCUMENT_BYTES else _("照片超过 12 MB")


def path_of(digest: str) -> Path:
    """Return where the bytes of a digest lie."""
    return kept_files.path_of(Path(settings.MEDIA_ROOT), digest)


def hold(case_id: str, digest: str) -> bool:
    """Return whether a case has a file and it is not erased; till the transaction's end it will not be."""
    kept = EvidenceFile.objects.select_for_update().filter(case_id=case_id, digest=digest, erased_at=None)
    return bool(kept.values_list("pk", flat=True))


def drop_unused(digest: str) -> None:
    """Delete the bytes when no file that is still kept, of a case or of a draft, has them."""
    kept = EvidenceFile.objects.filter(digest=digest, erased_at=None).exists()
    waiting = (DraftFile, UploadedFile)
    if not kept and not any(table.objects.filter(digest=digest).exists() for table in waiting):
        path_of(digest).unlink(missing_ok=True)


def _cleaned(item: FileIn, accept: str) -> tuple[bytes, str]:
    if accept == "document" and item.content.startswith(_PDF):
        return item.content, "application/pdf"
    return _photo(item), "image/jpeg"


def _photo(item: FileIn) -> bytes:
    """Return the picture re-encoded: place, time, device and whatever was hidden in the file are gone."""
    if len(item.content) > MAX_PHOTO_BYTES:
        raise _refused("too-large", _("照片超过 12 MB"), item)
    try:
        with Image.open(io.BytesIO(item.content), formats=PHOTO_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _refused("too-large", _("照片的像素过多"), item)
            picture = ImageOps.exif_transpose(opened).convert("RGB")
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            clean = Image.new("RGB", picture.size)
            clean.paste(picture)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused("wrong-type", _("这个文件不是可以读取的照片（JPEG、PNG 或 WebP）"), item) from error
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _refused(code: str, title: str, item: FileIn) -> Problem:
    return Problem(
        f"file-{code}", title, detail=_safe_name(item.name), status=422,
        errors={item.field: {"code": code, "text": title}},
    )  # fmt: skip


def _store(content: bytes, media_type: str, item: FileIn, scanner: str) -> Stored:
    digest = kept_files.keep(Path(settings.MEDIA_ROOT), content)
    return Stored(digest, _safe_name(item.name), media_type, len(content), item.field, scanner)


def _safe_name(name: str) -> str:
    return re.sub(r"[^\w.\- ()（）]", "_", Path(name.replace("\\", "/")).name)[:120] or "file"
