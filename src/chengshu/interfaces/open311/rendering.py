"""Answers as XML and JSON. Both are made from one tree, so that neither says more than the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from django.http import HttpResponse, JsonResponse

Record = Mapping[str, Any]
JSON, XML = "json", "xml"


def answer(format_: str, root: str, item: str, records: Sequence[Record], status: int = 200) -> HttpResponse:
    """Answer a list of records."""
    if format_ == JSON:
        response: HttpResponse = JsonResponse(
            list(records), safe=False, status=status, json_dumps_params={"ensure_ascii": False}
        )
        response["Content-Type"] = "application/json; charset=utf-8"
        return response
    top = Element(root)
    for record in records:
        _fill(SubElement(top, item), record)
    return _xml(top, status)


def single(format_: str, root: str, record: Record) -> HttpResponse:
    """Answer one record, not a list: a service definition, the discovery."""
    if format_ == JSON:
        response = JsonResponse(record, json_dumps_params={"ensure_ascii": False})
        response["Content-Type"] = "application/json; charset=utf-8"
        return response
    top = Element(root)
    _fill(top, record)
    return _xml(top, 200)


def errors(format_: str, code: int, description: str) -> HttpResponse:
    """Answer an error in the form of the specification."""
    return answer(format_, "errors", "error", [{"code": code, "description": description}], code)


def _xml(top: Element, status: int) -> HttpResponse:
    body = b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(top, encoding="utf-8")
    return HttpResponse(body, status=status, content_type="text/xml; charset=utf-8")


# What the members of a list are called.
MEMBERS = {
    "attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format",
}  # fmt: skip


def _fill(node: Element, record: Record) -> None:
    for name, value in record.items():
        child = SubElement(node, name)
        if isinstance(value, list):
            for each in value:
                member = SubElement(child, MEMBERS[name])
                if isinstance(each, Mapping):
                    _fill(member, each)
                else:
                    member.text = _text(each)
        else:
            child.text = _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # XML 1.0 knows no control characters but these three.
    return "".join(char for char in str(value) if char >= " " or char in "\t\n\r")
