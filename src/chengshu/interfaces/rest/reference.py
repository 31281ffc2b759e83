"""The reference page of the API, drawn from its OpenAPI description by our own template: no CDN, no script."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `remedy` says what to do; `errors` names each field that does not fit.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "remedy": {"type": "string"},
    },
}


class ReferencePage(DocsBase):
    """Renders ``/api/v1/docs``."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Answer the page."""
        schema = api.get_openapi_schema(path_params=kwargs)
        context = {
            "info": schema["info"],
            "version": schema["openapi"],
            "openapi_url": self.get_openapi_url(api, kwargs),
            "groups": groups(schema),
        }
        return render(request, "api/reference.html", context)


def groups(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the calls by tag, in the order in which they are declared."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for name in operation.get("tags") or ["other"]:
                found.setdefault(name, []).append(describe(schema, path, method, operation))
    return [{"name": name, "calls": calls} for name, calls in found.items()]


def describe(schema: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Return what the page says of one call."""
    parameters = [
        {
            "name": each["name"],
            "place": each["in"],
            "required": each.get("required", False),
            "type": type_name(each["schema"]),
            "text": each.get("description") or each["schema"].get("description", ""),
        }
        for each in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {})
    answers = [
        {
            "status": status,
            "text": response["description"],
            "fields": fields(schema, response.get("content", {})),
        }
        for status, response in operation["responses"].items()
        if str(status) != "4XX"
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "text": operation.get("description", ""),
        "parameters": parameters,
        "body": fields(schema, body),
        "answers": answers,
        "guarded": bool(operation.get("security")),
    }


def fields(schema: dict[str, Any], content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of a body: those of the object, or of the objects in a list."""
    if not content:
        return []
    shape = next(iter(content.values())).get("schema", {})
    shape = resolve(schema, shape)
    if shape.get("type") == "array":
        shape = resolve(schema, shape.get("items", {}))
    required = set(shape.get("required", []))
    return [
        {
            "name": name,
            "type": type_name(each),
            "required": name in required,
            "text": each.get("description", ""),
        }
        for name, each in shape.get("properties", {}).items()
    ]


def resolve(schema: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference into the components."""
    if "$ref" not in shape:
        return shape
    found: dict[str, Any] = schema["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    return found


def type_name(shape: dict[str, Any]) -> str:
    """Name a type in a word or two: string, integer, list of Cell, string or null."""
    if "$ref" in shape:
        return str(shape["$ref"].rsplit("/", 1)[1])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in shape:
            return " or ".join(dict.fromkeys(type_name(each) for each in shape[union]))
    if shape.get("type") == "array":
        return f"list of {type_name(shape.get('items', {}))}"
    name = shape.get("format") or shape.get("type", "any")
    return str(name if isinstance(name, str) else " or ".join(name))
