"""Pages of runs and returns."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.batch.pipeline.reasons import REASONS
from chengshu.batch.pipeline.run import STEPS
from chengshu.contexts.identity.api import is_personal, record_read, role_required
from chengshu.contexts.subjects import api
from chengshu.contexts.subjects.forms import DecisionForm, DisputeForm
from chengshu.contexts.subjects.models import Dispute, Return

LISTED = 100
STATES = {
    "open": _n("待处理"), "accepted": _n("已采纳"), "disputed": _n("有异议"), "upheld": _n("维持更正"),
    "overruled": _n("撤销更正"), "fulfilled": _n("已报送新值"),
}  # fmt: skip


@role_required("steward", "operator")
@require_GET
def runs(request: HttpRequest) -> HttpResponse:
    """List the runs, newest first."""
    return render(request, "subjects/runs.html", {"runs": api.runs(100), "current": api.current_run()})


@role_required("steward", "operator")
@require_GET
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show one run: taken in, refused and why, placed, linked, conflicts, findings, cases."""
    row = api.run_by_id(run_id)
    sources = list(row.sources.order_by("department", "source"))
    refused = [
        (item, {"zh": REASONS[item.code][0], "en": REASONS[item.code][1]})
        for item in row.refused_rows.order_by("source", "file", "row")[:LISTED]
    ]
    facts = row.facts
    seconds = facts.get("seconds", {})
    return render(request, "subjects/run.html", {
        "run": row, "sources": sources, "refused": refused, "facts": facts, "listed": LISTED,
        "steps": [(name, seconds[name]) for name, _text in STEPS if name in seconds],
        "placed": sum(item.placed for item in sources), "addressed": sum(item.addressed for item in sources),
        "subjects": sum((facts.get("subjects") or {}).values()),
        "conflicts": sum((facts.get("conflicts") or {}).values()),
        "finding_rows": _findings(facts), "cases": facts.get("cases") or {},
    })  # fmt: skip


def _findings(facts: dict[str, Any]) -> list[tuple[str, str, int]]:
    from chengshu.contexts.subjects.labels import FINDING_NAMES

    counted = facts.get("findings") or {}
    return [(kind, _(FINDING_NAMES.get(kind, kind)), number) for kind, number in sorted(counted.items())]


def _department(request: HttpRequest) -> str | None:
    """Return the department whose returns the account sees: its own; a steward sees all."""
    if request.user.role == "steward":
        return None
    if request.user.department_id is None:
        raise Http404
    return str(request.user.department_id)


@role_required("officer", "steward")
@require_GET
def returns(request: HttpRequest) -> HttpResponse:
    """List the corrections that came back to a department."""
    department = _department(request)
    state = request.GET.get("state") or None
    if state is not None and state not in Return.State.values:
        state = None
    page = api.page_of_returns(department, state, request.GET.get("page"))
    rows = [(item, api.element_label(item.correction.element)) for item in page]
    return render(request, "subjects/returns.html", {
        "page": page, "rows": rows, "state": state, "states": [(code, _(text)) for code, text in STATES.items()],
        "titles": api.source_titles(),
        "disputes": list(api.disputes(department)[:LISTED]), "department": department,
    })  # fmt: skip


@role_required("officer")
@require_http_methods(["GET", "POST"])
def one_return(request: HttpRequest, return_id: int) -> HttpResponse:
    """Show one return in full and accept or dispute it."""
    department = _department(request)
    row = api.one_return(return_id, department)
    form = DisputeForm(request.POST if request.POST.get("act") == "dispute" else None)
    now = timezone.now()
    if request.POST.get("act") == "accept":
        api.accept(return_id, department=str(department), actor=request.user, now=now)
        messages.success(request, _("已采纳；下次报送含新值时自动办结"))
        return redirect("subjects:returns")
    if request.POST.get("act") == "dispute" and form.is_valid():
        made = api.dispute(
            return_id,
            department=str(department),
            actor=request.user,
            reason=form.cleaned_data["reason"],
            now=now,
        )
        text = _("已提出异议，由裁定部门在 %(day)s 前决定；其间该值标为有异议") % {"day": made.decide_by}
        messages.success(request, text)
        return redirect("subjects:returns")
    row = api.seen_in_full(return_id, str(department), actor=request.user, now=now)
    context = {
        "row": row,
        "label": api.element_label(row.correction.element),
        "form": form,
        "titles": api.source_titles(),
    }
    return render(request, "subjects/return.html", context)


@role_required("officer", "steward")
@require_http_methods(["GET", "POST"])
def dispute(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """Show a dispute to its decider and take the decision."""
    department = _department(request)
    row = api.disputes(department).filter(pk=dispute_id).first()
    if row is None:
        raise Http404
    form = DecisionForm(request.POST or None)
    own = department or str(request.user.department_id or "")
    if request.method == "POST" and form.is_valid():
        done = form.cleaned_data
        api.decide(
            dispute_id, department=own, actor=request.user, uphold=done["uphold"] == "yes", reason=done["reason"],
            now=timezone.now(),
        )  # fmt: skip
        messages.success(request, _("决定已生效"))
        return redirect("subjects:returns")
    if is_personal(row.element):
        record_read(request.user, row.subject_id, "dispute", [row.element], timezone.now())
    context = {
        "row": row, "form": form, "label": api.element_label(row.element), "may_decide": row.decider == own,
        "value": api.effective_record(row.subject_id).values.get(row.element), "last_stage": Dispute.Stage.DECIDER,
    }  # fmt: skip
    return render(request, "subjects/dispute.html", context)


@role_required("steward")
@require_POST
def resubmit(request: HttpRequest) -> HttpResponse:
    """Take a mended refused-rows file; its rows go in with the next build."""
    import tempfile
    from pathlib import Path

    sent = request.FILES.get("file")
    if sent is None:
        messages.error(request, _("请选择文件"))
        return redirect("subjects:runs")
    ending = Path(sent.name).suffix.lower()
    with tempfile.NamedTemporaryFile(suffix=ending if ending in (".csv", ".xlsx") else ".csv") as copy:
        for chunk in sent.chunks():
            copy.write(chunk)
        copy.flush()
        count = api.resubmit(Path(copy.name))
    messages.success(request, _("已收下 %(n)s 行，下一次运行时纳入") % {"n": count})
    return redirect("subjects:runs")
