"""The resident's pages that are no part of a sub-package: one's cases."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.mydata.room import doors
from chengshu.contexts.identity.api import ALL_ROLES, role_required


@role_required(*ALL_ROLES)
@require_GET
def my_cases(request: HttpRequest) -> HttpResponse:
    """Show the cases that one opened or takes part in, and those about oneself."""
    now, subject_id = timezone.now(), request.user.subject_id
    mine = cases.my_cases(request.user, now)
    known = {case.case_id for case in mine}
    about = (
        [case for case in cases.cases_about(subject_id) if case.case_id not in known] if subject_id else []
    )
    context = {"cases": mine, "about": about}
    if request.user.role == "resident":
        context["doors"] = doors("hall:cases")
    return render(request, "hall/cases.html", context)
