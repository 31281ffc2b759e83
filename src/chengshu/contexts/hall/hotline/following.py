"""Keeps each request as everyone may see it, in the transaction of its case; holds merging to what makes sense."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.hotline.models import HotlineRequest
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages import api as messages
from chengshu.kernel.problems import Problem

FINAL = ("closed", "passed_on", "withdrawn", "merged", "refused")


def follow(step: cases.StepTaken) -> None:
    """Bring the row of a request up to a step."""
    case = step.case
    kept = case.kept
    if step.event["step"] == "merge":
        _mergeable(case.id, str(kept.get("merged_into") or ""))
    due = kept.get("due_on")
    values = {
        "kind": str(kept.get("kind") or case.facts.get("kind") or ""),
        "urgent": bool(kept.get("urgent")),
        "department": str(kept.get("department") or ""),
        "state": case.state,
        "closed": case.state in FINAL or case.state == "settled",
        "merged_into": str(kept.get("merged_into") or ""),
        "public_reply": str(kept.get("public_reply") or "")[:500],
        "due_on": dt.date.fromisoformat(due) if due else None,
        "updated_at": step.now,
    }
    if step.event["seq"] == 1:
        facts = case.facts
        area = str(facts.get("area") or "")
        HotlineRequest.objects.create(
            case_id=case.id,
            topic=str(facts.get("topic") or "other"),
            channel=str(facts.get("channel") or "portal"),
            area=area,
            cell_code=cases.cell_of(case.id) or "",
            requested_at=step.now,
            **values,
        )
        return
    HotlineRequest.objects.filter(pk=case.id).update(**values)
    if step.event["step"] in ("reply", "answer_now"):
        _tell_merged(case.id, step.now)


def _mergeable(case_id: str, into: str) -> None:
    target = HotlineRequest.objects.filter(pk=into).first() if into != case_id else None
    if target is None or target.closed:
        raise Problem(
            "merge-target", _("没有这件在办的诉求"), detail=into[:40], status=422,
            remedy=_("填写另一件还在办理的热线诉求的编号。"),
        )  # fmt: skip


def _tell_merged(case_id: str, now: dt.datetime) -> None:
    """Tell everyone whose request was merged into this one that it is answered."""
    for row in HotlineRequest.objects.filter(merged_into=case_id):
        opener = cases.case_brief(row.case_id).opened_by
        account = identity.account(int(opener)) if opener.isdigit() else None
        if account is None or account.role != "resident":
            continue
        public = HotlineRequest.objects.values_list("public_reply", flat=True).get(pk=case_id)
        messages.tell(
            account,
            {
                "zh": "与您的诉求合并办理的一件已经答复",
                "en": "The request that yours was merged into is answered",
            },
            {
                "zh": public or "请在办件页查看，或者致电 12345。",
                "en": public or "See the page of the case, or call 12345.",
            },
            key=f"merged:{row.case_id}:{case_id}",
            now=now,
            case_id=row.case_id,
        )
