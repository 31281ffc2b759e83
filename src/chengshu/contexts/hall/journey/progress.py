"""One's own case: where each part stands, what is asked of one, and at the end everything that was issued in one package."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.api import filling
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.identity.api import ALL_ROLES, role_required
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.terms import legal_day


@role_required(*ALL_ROLES)
@require_GET
def case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show where a case stands: a line a part, the applicant's next step first."""
    now = timezone.now()
    receipt, progress, results = _whole(request, case_id, now)
    context = {
        "case": receipt,
        "progress": progress,
        "results": results,
        "breadcrumbs": [(_("我的办件"), "/my/cases"), (filling.said(receipt.pack_title), "")],
    }
    return render(request, "journey/progress.html", context)


@role_required(*ALL_ROLES)
@require_GET
def package(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show everything that the case and its parts have brought, to print or to take along."""
    now = timezone.now()
    receipt, progress, results = _whole(request, case_id, now)
    titles = {case_id: receipt.pack_title}
    for line in progress.lines if progress is not None else ():
        titles[line.case_id] = line.title
    context = {
        "case": receipt,
        "progress": progress,
        "results": [{"result": each, "of": titles[each.case_id]} for each in results],
        "ready": bool(results) and all(each.made for each in results),
        "breadcrumbs": [
            (_("我的办件"), "/my/cases"), (filling.said(receipt.pack_title), f"/my/cases/{case_id}"), (_("结果材料"), ""),
        ],
    }  # fmt: skip
    return render(request, "journey/package.html", context)


@role_required(*ALL_ROLES)
@require_GET
def package_zip(request: HttpRequest, case_id: str) -> HttpResponse:
    """Give the package as one file: sealed PDFs, verifiable credentials, a list, and the ledger's receipt."""
    now = timezone.now()
    receipt, _progress, found = _whole(request, case_id, now)
    results = [each for each in found if each.digest]
    if not results:
        raise Http404
    access = cases.access_case(case_id, request.user, now)
    cases.note_read(access, request.user, ["person.name"], now)
    answer = HttpResponse(_zipped(receipt, results), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{case_id}.zip"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _whole(
    request: HttpRequest, case_id: str, now: dt.datetime
) -> tuple[cases.Receipt, cases.Progress | None, list[certificates.CaseResult]]:
    """Return a case, how far its parts are, and what it and they have brought, for whoever may see it whole."""
    receipt = cases.receipt_of(case_id, request.user, now=now)
    progress = cases.progress_of(case_id, request.user, now=now) if receipt.has_parts else None
    return receipt, progress, certificates.results_of(_cases(case_id, progress), legal_day(now))


def _zipped(receipt: cases.Receipt, results: list[certificates.CaseResult]) -> bytes:
    """Return the zip; the same results give the same bytes."""
    proof = ledger.receipt(receipt.last_leaf_id)
    listed: dict[str, Any] = {
        "case": receipt.case_id,
        "title": receipt.pack_title,
        "outcome": receipt.outcome_title,
        "closed_at": receipt.closed_at.isoformat() if receipt.closed_at else None,
        "files": [],
        "receipt": proof.to_dict() if proof else None,
    }
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as made:
        for number, each in enumerate(results, 1):
            name = f"{number:02d}-{each.number or each.id}".replace("/", "-")
            _put(made, f"{name}.pdf", certificates.result_file(each))
            listed["files"].append(
                {"name": f"{name}.pdf", "title": each.title, "number": each.number, "sha256": each.digest, "of": each.case_id}
            )  # fmt: skip
            if each.credential:
                _put(made, f"{name}.vc.jwt", each.credential.encode())
        _put(made, "list.json", json.dumps(listed, ensure_ascii=False, indent=2, sort_keys=True).encode())
    return body.getvalue()


def _put(made: zipfile.ZipFile, name: str, content: bytes) -> None:
    # A fixed time stamp: the package says nothing of when it was fetched.
    made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _cases(case_id: str, progress: cases.Progress | None) -> list[str]:
    return (
        [case_id, *(line.case_id for line in progress.lines if line.case_id)]
        if progress is not None
        else [case_id]
    )
