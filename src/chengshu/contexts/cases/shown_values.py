"""Values of fields as people read them: yuan, yes and no, labels of choices, lists and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases.domain import FieldView
from chengshu.contexts.cases.form_fields import account_name, said
from chengshu.contexts.cases.place_field import holds_place, place_text
from chengshu.kernel.money import hundredths, yuan
from chengshu.procedure.formats import HUNDREDTHS


def shown_value(view: FieldView, value: Any) -> Any:
    """Return one value in words: a text, a list of texts, or for rows a table with its head."""
    if value in (None, "", []):
        return ""
    if view.kind == "rows" and isinstance(value, list):
        return {
            "head": [said(column.label) for column in view.columns],
            "rows": [
                [shown_value(column, row.get(column.name)) for column in view.columns]
                for row in value
                if isinstance(row, Mapping)
            ],
        }
    if view.kind == "accounts" and isinstance(value, list):
        return [account_name(item) for item in value]
    if isinstance(value, list):
        return [_choice(view, item) for item in value]
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if view.kind == "money" and isinstance(value, int):
        return _("%(yuan)s 元") % {"yuan": yuan(value)}
    if view.format == HUNDREDTHS and isinstance(value, int):
        return hundredths(value)
    if holds_place(view):
        return place_text(value)
    if view.format == "account":
        return account_name(value)
    return _choice(view, value)


def _choice(view: FieldView, value: Any) -> str:
    return next((said(text) for name, text in view.choices if name == value), str(value))
