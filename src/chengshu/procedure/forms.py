"""Filling a form: what was sent is checked field by field; what is wrong comes back together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chengshu.kernel.problems import Problem
from chengshu.procedure.formats import formatted
from chengshu.procedure.model import Field
from chengshu.procedure.types import BadRows, BadValue, check_value


def fill_form(
    fields: Mapping[str, Field],
    sent: Mapping[str, Any],
    scope: dict[str, Any],
    facts: Mapping[str, Any],
    prefix: str = "data.",
) -> dict[str, Any]:
    """Return the clean values in the order of the form; raises one ``Problem`` with every field's error.

    A field whose ``when`` does not hold is left out whatever was sent for it. ``scope`` gets each value under ``prefix``.
    Errors inside rows stand under ``<field>.<row>.<column>``.
    """
    clean: dict[str, Any] = {}
    errors: dict[str, dict[str, str]] = {}
    for name, field in fields.items():
        if field.when is not None and field.when.evaluate(scope) is not True:
            continue
        try:
            value = clean[name] = scope[prefix + name] = _value(field, sent.get(name), facts)
        except BadRows as bad:
            errors |= {
                f"{name}.{cell}": {"code": "wrong-type", "text": text} for cell, text in bad.cells.items()
            }
        except BadValue as bad:
            errors[name] = {"code": _code(field, sent.get(name)), "text": str(bad)}
        else:
            if field.check is not None and value is not None and field.check.evaluate(scope) is not True:
                errors[name] = {"code": "check", "text": f"the condition {field.check.source} does not hold"}
    for name in sent:
        if name not in fields:
            errors[name] = {"code": "unknown", "text": "the form has no such field"}
    if errors:
        raise Problem(
            "form-invalid",
            "Some answers need another look",
            detail="; ".join(f"{name}: {error['text']}" for name, error in errors.items()),
            status=422,
            errors=errors,
        )
    return clean


def shown(
    fields: Mapping[str, Field], answers: Mapping[str, Any], scope: Mapping[str, Any], prefix: str
) -> list[str]:
    """Return the fields that a half-filled form shows: those whose ``when`` holds with the answers so far."""
    known = dict(scope)
    found: list[str] = []
    for name, field in fields.items():
        if field.when is not None and field.when.evaluate(known) is not True:
            continue
        found.append(name)
        try:
            known[prefix + name] = check_value(answers.get(name), replace(field.type, optional=True))
        except BadValue:
            # Not an answer yet: what hangs on it stays hidden.
            known[prefix + name] = None
    return found


def options(field: Field, facts: Mapping[str, Any]) -> list[str] | None:
    """Return the values that a field may take from a fact, or ``None`` when it is free."""
    if not field.options:
        return None
    found = facts.get(field.options) or []
    return [str(item["value"]) if isinstance(item, Mapping) else str(item) for item in found]


def _value(field: Field, value: Any, facts: Mapping[str, Any]) -> Any:
    if value.__class__ is str:
        value = value.strip() or None
    if value is None or value == []:
        if field.required:
            raise BadValue("an answer is required")
        return None
    clean = check_value(value, field.type)
    if (clean.__class__ is str or clean.__class__ is list) and len(clean) > field.most:
        raise BadValue(f"at most {field.most} are allowed")
    if field.options and clean not in (options(field, facts) or ()):
        raise BadValue("choose one of the values shown")
    return formatted(field.format, clean) if field.format and clean.__class__ is str else clean


def _code(field: Field, value: Any) -> str:
    if value in (None, "", []):
        return "required"
    if field.options or field.type.kind == "choice":
        return "not-an-option"
    if isinstance(value, str | list) and len(value) > field.most:
        return "too-long"
    if field.format and isinstance(value, str):
        return "format"
    return "wrong-type"
