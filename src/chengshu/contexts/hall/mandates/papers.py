"""Papers that a mandate or a proxy rests on: scanned, cleaned and kept by their digest, apart from the files of cases."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity.api import Paper
from chengshu.kernel import kept_files

_PDF = b"%PDF-"


def folder() -> Path:
    """Return where these papers lie."""
    return Path(settings.MEDIA_ROOT) / "mandates"


def keep_paper(sent: UploadedFile) -> Paper:
    """Check, scan, clean and keep a paper; raises ``Problem`` for what is neither a PDF nor a picture, or too large."""
    item = cases.FileIn(sent.name or "", sent.read(), "paper")
    (stored,) = cases.files.store_files([item], "document")
    content = cases.files.path_of(stored.digest).read_bytes()
    kept_files.keep(folder(), content)
    # A case that has the same paper keeps its own; nobody's dropping it there takes it away here.
    cases.files.drop_unused(stored.digest)
    return Paper(stored.digest, stored.name)


def shown_paper(digest: str) -> FileResponse:
    """Return the answer that shows a kept paper; 404 where there is none."""
    found = open_paper(digest) if digest else None
    if found is None:
        raise Http404
    path, media_type = found
    response = FileResponse(path.open("rb"), content_type=media_type)
    response["Content-Disposition"] = "inline" if media_type == "image/jpeg" else "attachment"
    return response


def open_paper(digest: str) -> tuple[Path, str] | None:
    """Return file and media type of a kept paper; None where it is not there."""
    try:
        path = kept_files.path_of(folder(), digest)
    except ValueError:
        return None
    if not path.is_file():
        return None
    with path.open("rb") as kept:
        return path, "application/pdf" if kept.read(5) == _PDF else "image/jpeg"
