"""The answers as one checks them: section by section, each with its source, what is wrong with it, and where to change it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from chengshu.contexts.cases.api import filling
from chengshu.contexts.hall.journey.state import Journey
from chengshu.contexts.identity import api as identity
from chengshu.procedure.model import Field


def answer_parts(journey: Journey, form: Any) -> list[dict[str, Any]]:
    """Return the sections that have answers, with a line for each field that is asked."""
    asked = {item.name: item for item in journey.asked}
    found = []
    for section in journey.form.sections():
        lines = [
            _line(journey, asked[view.name], view, form) for view in section.fields if view.name in asked
        ]
        if lines:
            found.append({"id": section.id, "title": section.title, "lines": lines})
    return found


def hidden(journey: Journey, item: Field) -> bool:
    """Say whether somebody who acts for another is not to read a value: personal, held by an office, not typed by them."""
    held = journey.held(item.name)
    return held is not None and journey.acting.for_other and identity.is_personal(held.element)


def _line(journey: Journey, item: Field, view: Any, form: Any) -> dict[str, Any]:
    held = journey.held(item.name)
    value = journey.known.get(item.name)
    shown = filling.shown_value(view, value)
    if held is not None and hidden(journey, item):
        shown = identity.mask(held.element, str(value))
    return {
        "view": view,
        "value": shown,
        "files": journey.files.get(item.name, []),
        "held": held,
        "dispute": f"{held.dispute_url}?next={reverse('apply:check', args=[journey.pack.id])}%3Ffresh%3D1"
        if held is not None and held.disputable and held.dispute_url
        else "",
        "change": ""
        if journey.bound(item.name)
        else f"{reverse('apply:question', args=[journey.pack.id, item.name])}?back=check",
        "wrong": " ".join(form.errors.get(item.name, [])),
    }
