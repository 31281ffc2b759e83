"""The district's address library as the matcher reads it: a Parquet file kept in step with the table."""

from __future__ import annotations

import threading
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from chengshu.batch.address.library import AddressLibrary
from chengshu.contexts.places.library import export_library
from chengshu.contexts.places.models import Division, Place, PlaceChange

_lock = threading.Lock()
_loaded: tuple[tuple[str, int], AddressLibrary] | None = None


def library_path() -> Path | None:
    """Return the library's file, written anew after a change of the table; None when the table is empty."""
    path = Path(settings.VAR_DIR) / "libraries" / "district.parquet"
    stamp_file = path.with_suffix(".stamp")
    stamp = f"{PlaceChange.objects.aggregate(last=Max('id'))['last'] or 0}-{Place.objects.count()}"
    if stamp.endswith("-0"):
        return None
    with _lock:
        known = stamp_file.read_text("utf-8") if stamp_file.is_file() else ""
        if known != stamp or not path.is_file():
            export_library(path)
            stamp_file.write_text(stamp, "utf-8")
    return path


def home_code() -> str | None:
    """Return the code of the district whose communities are loaded."""
    code = Division.objects.filter(level="community").values_list("code", flat=True).first()
    return code[:6] if code else None


def address_library() -> AddressLibrary | None:
    """Return the library ready for matching, loaded once for each of its versions."""
    global _loaded
    path = library_path()
    if path is None:
        return None
    key = (str(path), path.stat().st_mtime_ns)
    if _loaded is None or _loaded[0] != key:
        _loaded = (key, AddressLibrary.load(path))
    return _loaded[1]


def match_address(text: str) -> str | None:
    """Return the place code of an address text, None where the matcher refuses."""
    library = address_library()
    if library is None or not text.strip():
        return None
    code = library.match_many([text], home=home_code())["place_code"][0]
    return str(code) if code else None
