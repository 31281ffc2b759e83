"""Pages of subjects: search, golden record, links, findings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity.api import PURPOSES, PURPOSES_OF_ROLE, is_personal, record_read, role_required
from chengshu.contexts.places import api as places
from chengshu.contexts.subjects import api
from chengshu.contexts.subjects.domain import KINDS, FullRecord, Record
from chengshu.contexts.subjects.forms import CorrectionForm, LinkForm, UnlinkForm
from chengshu.contexts.subjects.labels import FINDING_NAMES
from chengshu.kernel.problems import Problem

STAFF = ("steward", "officer", "operator", "grid_worker")
KIND_NAMES = {"person": _n("人"), "firm": _n("企业"), "premises": _n("房屋"), "facility": _n("设施")}
SEARCH_PURPOSE = {"steward": "stewardship", "officer": "correction-review", "operator": "case-work"}


@role_required("steward", "officer", "operator")
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Find subjects by name, number, phone, place or id."""
    query, kind = request.GET.get("q", "").strip(), request.GET.get("kind") or None
    hits, problem = None, ""
    if query:
        try:
            purpose = SEARCH_PURPOSE[request.user.role]
            hits = api.search(query, kind=kind, actor=request.user, now=timezone.now(), purpose=purpose)
        except Problem as error:
            problem = str(error.title)
    shown = [(hit, _(KIND_NAMES[hit.kind])) for hit in hits or ()]
    context = {
        "query": query,
        "kind": kind,
        "kinds": _kinds(),
        "hits": shown,
        "asked": hits is not None,
        "problem": problem,
    }
    return render(request, "subjects/search.html", context)


def _kinds() -> list[tuple[str, str]]:
    return [(kind, _(KIND_NAMES[kind])) for kind in KINDS]


@role_required(*STAFF)
@require_http_methods(["GET", "POST"])
def subject(request: HttpRequest, subject_id: str) -> HttpResponse:
    """Show a golden record: each field with value, origin, what lost, disputes. Personal values by purpose only."""
    full = api.record_of(subject_id)
    if full.record.subject_id != subject_id:
        messages.info(
            request, _("%(old)s 已并入 %(new)s") % {"old": subject_id, "new": full.record.subject_id}
        )
        return redirect("subjects:subject", full.record.subject_id)
    personal = [fact.element for fact in full.facts if is_personal(fact.element)]
    shown = False
    if request.method == "POST" and personal:
        purpose = request.POST.get("purpose", "")
        record_read(request.user, full.record.subject_id, purpose, personal, timezone.now())
        shown = True
    response = render(
        request, "subjects/subject.html", _subject_context(request, full, shown, bool(personal))
    )
    if shown:
        response["Cache-Control"] = "no-store"
    return response


def _subject_context(request: HttpRequest, full: FullRecord, shown: bool, personal: bool) -> dict[str, Any]:
    record = full.record
    purposes = [(code, _(PURPOSES[code])) for code in sorted(PURPOSES_OF_ROLE[request.user.role])]
    return {
        "record": record, "facts": full.facts, "redirects": full.redirects, "kind": _(KIND_NAMES[record.kind]),
        "titles": api.source_titles(), "shown": shown, "personal": personal, "purposes": purposes,
        "corrections": api.corrections_of(record.subject_id), "cases": cases.cases_about(record.subject_id),
        "name_element": f"{record.kind}.name", "may_correct": request.user.role == "steward",
        "linked": record.kind != "premises", "standard_address": _standard_address(record, shown),
    }  # fmt: skip


def _standard_address(record: Record, shown: bool) -> str:
    """Return the library's own text of the place; a home is shown only with the other personal values."""
    if not record.place_code or (record.kind == "person" and not shown):
        return ""
    place = places.place(record.place_code)
    return places.address_text(place.slots) if place else ""


@role_required("steward")
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, subject_id: str, element: str) -> HttpResponse:
    """Correct one value by hand, with its ground."""
    record = api.effective_record(subject_id)
    form = CorrectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        api.by_hand(
            record.subject_id, element, form.cleaned_data["value"] or None, reason=form.cleaned_data["reason"],
            actor=request.user, now=now, key=f"hand:{record.subject_id}:{element}:{now.timestamp()}",
        )  # fmt: skip
        messages.success(request, _("更正已生效，并返还给数源部门"))
        return redirect("subjects:subject", record.subject_id)
    context = {"form": form, "record": record, "element": element, "label": api.element_label(element)}
    return render(request, "subjects/correct.html", context)


@role_required("steward")
@require_http_methods(["GET", "POST"])
def links(request: HttpRequest, subject_id: str) -> HttpResponse:
    """Show why a subject's records are held to be one; tell them apart, or join another subject."""
    record = api.effective_record(subject_id)
    ids = api.records_in(record.subject_id, record.kind)
    choices = [(item, item) for item in ids]
    data = request.POST or None
    act = request.POST.get("act")
    unlink = UnlinkForm(data if act == "unlink" else None, choices=choices, prefix="u")
    link = LinkForm(data if act == "link" else None, prefix="l")
    now = timezone.now()
    if act == "unlink" and unlink.is_valid():
        done = unlink.cleaned_data
        api.unlink(record.subject_id, done["records"], reason=done["reason"], actor=request.user, now=now)
    elif act == "link" and link.is_valid():
        done = link.cleaned_data
        api.link(record.subject_id, done["other"].strip(), reason=done["reason"], actor=request.user, now=now)
    elif act == "undo":
        api.undo(
            [int(n) for n in request.POST.getlist("decision") if n.isdigit()], actor=request.user, now=now
        )
    if act and (act == "undo" or not (unlink.errors or link.errors)):
        messages.success(request, _("已记下，下一次运行生效；办件和更正仍挂在原编号上"))
        return redirect("subjects:links", record.subject_id)
    return render(request, "subjects/links.html", {
        "record": record, "records": ids, "why": api.why_one(record.subject_id, record.kind), "unlink": unlink,
        "link": link, "decisions": api.decisions(record.subject_id), "cases": cases.cases_about(record.subject_id),
        "name_element": f"{record.kind}.name",
    })  # fmt: skip


@role_required("steward", "operator")
@require_GET
def findings(request: HttpRequest) -> HttpResponse:
    """List findings by kind: what does not fit across the tables."""
    kind = request.GET.get("kind") or None
    counts = api.counts_by_state()["findings"]
    tabs = [(name, _(FINDING_NAMES.get(name, name)), number) for name, number in sorted(counts.items())]
    rows = [(row, _(FINDING_NAMES.get(row.kind, row.kind))) for row in api.findings(kind)]
    return render(request, "subjects/findings.html", {"tabs": tabs, "kind": kind, "rows": rows})


@role_required("steward")
@require_POST
def withdraw(request: HttpRequest, correction_id: int) -> HttpResponse:
    """Take a correction back."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise Problem("withdraw-reason", _("请写明撤销的理由"), status=422)
    api.withdraw_correction(
        correction_id, reason=reason, actor_name=request.user.display_name, now=timezone.now()
    )
    messages.success(request, _("更正已撤销，数源的值恢复"))
    return redirect("subjects:subject", request.POST.get("subject") or "-")
