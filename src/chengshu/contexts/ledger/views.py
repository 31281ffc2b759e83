"""Pages of the ledger, open to everyone: they show salted digests and opaque references, never personal data.

Also the log itself as C2SP tlog-tiles serves it (``checkpoint``, ``tile/…``), for any verifier on the web.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.ledger import api
from chengshu.kernel.signed_note import parse_verifier

PAGE = 50
_TILE = re.compile(r"^tile/(?:entries|\d{1,2})/(?:x\d{3}/)*\d{3}(?:\.p/\d{1,3})?$")


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view as open to everyone for the authorisation matrix (identity stands above the ledger)."""

    @wraps(view)
    def open_view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    open_view.allowed_roles = None  # type: ignore[attr-defined]
    return open_view


@public
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """List the entries, newest first, by reference and kind."""
    reference = request.GET.get("reference", "").strip()[:200]
    kind = request.GET.get("kind", "").strip()[:60]
    before = request.GET.get("before", "")
    found = api.find_entries(
        reference=reference,
        kind=kind,
        before=int(before) if before.isdigit() and len(before) < 19 else None,
        number=PAGE + 1,
    )
    context = {
        "entries": found[:PAGE],
        "older": found[PAGE - 1].id if len(found) > PAGE else None,
        "paged": bool(before),
        "reference": reference,
        "kind": kind,
        "kinds": api.kinds(),
        "status": api.status(),
    }
    return render(request, "ledger/home.html", context)


@public
@require_GET
def receipt(request: HttpRequest, leaf_id: int) -> HttpResponse:
    """Show one entry and the proof that it stands in the log."""
    entry = api.entry(leaf_id)
    if entry is None:
        raise Http404
    proof = api.receipt(leaf_id)
    context = {
        "entry": entry,
        "receipt": proof,
        "signers": proof.verify([parse_verifier(key) for key in api.log_keys()]) if proof else [],
        "related": [other for other in api.entries_for(entry.reference)[-PAGE:] if other.id != leaf_id],
        "breadcrumbs": [(_("存证"), reverse("ledger:home")), (str(leaf_id), "")],
    }
    return render(request, "ledger/receipt.html", context)


@public
@require_GET
def proof(request: HttpRequest, leaf_id: int) -> HttpResponse:
    """Give the proof as a C2SP tlog-proof file."""
    found = api.receipt(leaf_id)
    if found is None:
        raise Http404
    response = HttpResponse(found.as_text(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="chengshu-{leaf_id}.tlog-proof"'
    return response


@public
@require_GET
def head(request: HttpRequest) -> HttpResponse:
    """Show the newest checkpoint, the keys, the witnesses, and how to verify."""
    context = {
        "status": api.status(),
        "note": api.checkpoint(),
        "keys": api.log_keys(),
        "witnesses": [str(known.verifier) for known in api.witnesses()],
        "checkpoints": api.checkpoints(),
        "breadcrumbs": [(_("存证"), reverse("ledger:home")), (_("检查点"), "")],
    }
    return render(request, "ledger/head.html", context)


@public
@require_GET
def raw_checkpoint(request: HttpRequest) -> HttpResponse:
    """Give the newest checkpoint as text."""
    note = api.checkpoint()
    if note is None:
        raise Http404
    response = HttpResponse(note, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@public
@require_GET
def raw_keys(request: HttpRequest) -> HttpResponse:
    """Give the log's verifier keys, oldest first."""
    return HttpResponse(
        "".join(f"{key}\n" for key in api.log_keys()), content_type="text/plain; charset=utf-8"
    )


@public
@require_GET
def tile(request: HttpRequest, path: str) -> FileResponse:
    """Give one tile or entry bundle."""
    name = f"tile/{path}"
    if not _TILE.match(name):
        raise Http404
    try:
        file = open(api.ledger_folder() / name, "rb")  # noqa: SIM115 - FileResponse closes it
    except OSError as error:
        raise Http404 from error
    response = FileResponse(file, content_type="application/octet-stream")
    # A tile never changes: its name holds its level, number and width.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
