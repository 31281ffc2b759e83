"""How one call leads to the next, as OpenAPI links: a draft to its sending, a case to its command, a list to its entry.

Each line: the call, its answer, where the value stands in the answer, and the calls that take it as which parameter.
"""

from __future__ import annotations

from typing import Any

from ninja.openapi.schema import OpenAPISchema

ROOT = "/api/v1"
OF_CASE = (
    "get /cases/{case_id}",
    "get /cases/{case_id}/foresight",
    "get /cases/{case_id}/comments",
    "post /cases/{case_id}/comments",
    "post /cases/{case_id}/claim",
    "post /cases/{case_id}/give-back",
    "post /cases/{case_id}/delegate",
)
OF_DRAFT = (
    "get /drafts/{draft_id}",
    "put /drafts/{draft_id}",
    "delete /drafts/{draft_id}",
    "post /drafts/{draft_id}/submit",
)
# (call, status, {parameter: expression}, calls that follow)
LINKS: tuple[tuple[str, int, dict[str, str], tuple[str, ...]], ...] = (
    ("post /services/{pack}/cases", 201, {"path.case_id": "$response.body#/case_id"}, OF_CASE),
    ("post /drafts", 201, {"path.draft_id": "$response.body#/id"}, OF_DRAFT),
    ("get /drafts", 200, {"path.draft_id": "$response.body#/0/id"}, OF_DRAFT),
    ("post /drafts/{draft_id}/submit", 201, {"path.case_id": "$response.body#/case_id"}, OF_CASE),
    ("get /cases/tasks", 200, {"path.case_id": "$response.body#/items/0/case_id"}, OF_CASE),
    (
        "get /cases/{case_id}",
        200,
        {
            "path.case_id": "$response.body#/case_id",
            "path.command": "$response.body#/commands/0/name",
            "header.If-Match": "$response.header.ETag",
        },
        ("post /cases/{case_id}/commands/{command}",),
    ),
    (
        "get /payments",
        200,
        {"path.order_id": "$response.body#/items/0/id"},
        ("post /payments/{order_id}/paid", "post /payments/{order_id}/failed"),
    ),
    (
        "get /returns",
        200,
        {"path.return_id": "$response.body#/items/0/id"},
        ("get /returns/{return_id}", "post /returns/{return_id}/accept", "post /returns/{return_id}/dispute"),
    ),
    (
        "post /mandates",
        201,
        {"path.mandate_id": "$response.body#/id"},
        tuple(f"post /mandates/{{mandate_id}}/{step}" for step in ("accept", "refuse", "revoke")),
    ),
    (
        "get /ledger/entries",
        200,
        {"path.leaf_id": "$response.body#/items/0/id"},
        ("get /ledger/entries/{leaf_id}", "get /ledger/entries/{leaf_id}/proof"),
    ),
    ("get /registers", 200, {"path.code": "$response.body#/0/code"}, ("get /registers/{code}/entries",)),
    (
        "get /registers/{code}/entries",
        200,
        {"path.code": "$request.path.code", "path.number": "$response.body#/items/0/number"},
        ("get /registers/{code}/entries/{number}",),
    ),
    ("get /notices", 200, {"path.notice_id": "$response.body#/items/0/id"}, ("get /notices/{notice_id}",)),
    ("get /items", 200, {"path.code": "$response.body#/items/0/code"}, ("get /items/{code}",)),
    ("get /subjects", 200, {"path.subject_id": "$response.body#/0/subject_id"}, ("get /subjects/{subject_id}",)),
    (
        "get /certificates",
        200,
        {"path.number": "$response.body#/items/0/number"},
        ("get /certificates/{number}/credential",),
    ),
    ("get /exports", 200, {"path.number": "$response.body#/0/number"}, ("get /exports/{number}/file",)),
    ("get /catalogue/sources", 200, {"path.name": "$response.body#/0/name"}, ("get /catalogue/sources/{name}",)),
    (
        "get /catalogue/elements",
        200,
        {"path.code": "$response.body#/0/code"},
        ("get /catalogue/elements/{code}",),
    ),
)  # fmt: skip


def add_links(schema: OpenAPISchema) -> None:
    """Write the links into a description; a call that is not there raises ``KeyError``."""
    for call, status, parameters, followers in LINKS:
        answer = _operation(schema, call)["responses"][status]
        links: dict[str, Any] = answer.setdefault("links", {})
        for follower in followers:
            target = _operation(schema, follower)["operationId"]
            links[target.rsplit("_rest_", 1)[-1]] = {"operationId": target, "parameters": dict(parameters)}


def _operation(schema: OpenAPISchema, call: str) -> dict[str, Any]:
    method, path = call.split(" ")
    found: dict[str, Any] = schema["paths"][ROOT + path][method]
    return found
