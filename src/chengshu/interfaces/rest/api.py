"""The REST API under ``/api/v1``: one router for each context, problems as RFC 9457, OpenAPI 3.1.

The reference page ``/api/v1/docs`` is our own and asks no other host. A call without ``auth=`` of its own is
open to every role, by session or by a token of any scope.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from chengshu.interfaces.rest import (
    cases,
    casework,
    catalogue,
    certificates,
    exports,
    items,
    ledger,
    mandates,
    opening,
    payments,
    places,
    subjects,
    upkeep,
)
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.links import add_links
from chengshu.interfaces.rest.reference import PROBLEM_SCHEMA, ReferencePage
from chengshu.kernel.problems import Problem


class ChengshuAPI(NinjaAPI):
    """Ninja's API, whose description also tells what a refused call answers."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        """Return the OpenAPI 3.1 description, the problems and what leads to what included."""
        schema = super().get_openapi_schema(**kwargs)
        schema["components"].setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        refused = {
            "description": "Problem (RFC 9457)",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].setdefault("4XX", refused)
        add_links(schema)
        return schema


class ObjectParser(Parser):
    """Reads bodies, which are objects in every call: of a text or a list the library would take the defaults only."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the object in the body; anything else is refused."""
        body = super().parse_body(request)
        if not isinstance(body, dict):
            raise HttpError(400, "The body is not an object")
        return body


api = ChengshuAPI(
    title="Chengshu",
    version="1",
    description="The open city hub: addresses, places, subjects, cases, corrections and the ledger.",
    urls_namespace="api-v1",
    docs=ReferencePage(),
    parser=ObjectParser(),
    auth=guard(scope=""),
)


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer a problem in its RFC 9457 form."""
    response = api.create_response(request, problem.to_dict(request.path), status=problem.status)
    response["Content-Type"] = "application/problem+json"
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="chengshu"'
    if "retry_after" in problem.extra:
        response["Retry-After"] = str(problem.extra["retry_after"])
    return response


@api.exception_handler(Problem)
def on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer a ``Problem``."""
    return answer(request, problem)


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer a call whose parameters or body do not fit, each error with its place."""
    errors: list[dict[str, Any]] = [
        {"field": ".".join(str(part) for part in each["loc"]), "message": each["msg"]}
        for each in error.errors
    ]
    return answer(
        request, Problem("invalid-call", "请求参数不符合要求", remedy="见 errors", status=422, errors=errors)
    )


@api.exception_handler(AuthenticationError)
def on_unknown_caller(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """Answer a call without a session or a token in force."""
    return answer(
        request,
        Problem("not-signed-in", "需要登录或有效的令牌", remedy="在 /account/tokens 生成令牌", status=401),
    )


@api.exception_handler(PermissionDenied)
def on_refused(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    """Answer a call that a context refused."""
    return answer(request, Problem("not-allowed", "没有权限", detail=str(error), status=403))


@api.exception_handler(Http404)
def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """Answer a call for what is not there, or not for this caller."""
    return answer(request, Problem("not-found", "没有找到", status=404))


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what the API library refused itself, such as a body that is not JSON."""
    return answer(request, Problem("bad-call", "请求无法处理", detail=str(error), status=error.status_code))


api.add_router("/addresses", places.addresses)
api.add_router("/places", places.router)
api.add_router("/catalogue", catalogue.router)
api.add_router("/cases", cases.router)
api.add_router("/cases", casework.around)
api.add_router("/services", opening.services)
api.add_router("/drafts", opening.drafts)
api.add_router("/files", opening.papers)
api.add_router("/payments", payments.payments)
api.add_router("/calendars", upkeep.calendars)
api.add_router("/packs", upkeep.packs)
api.add_router("/certificates", certificates.own)
api.add_router("/verify", certificates.verifying)
api.add_router("/registers", certificates.registers)
api.add_router("/notices", certificates.notices)
api.add_router("/messages", certificates.inbox)
api.add_router("/mandates", mandates.router)
api.add_router("/subjects", subjects.router)
api.add_router("/returns", subjects.returns)
api.add_router("/ledger", ledger.router)
api.add_router("/items", items.router)
api.add_router("/search", items.searching)
api.add_router("/exports", exports.router)
api.add_router("/ratings", exports.statistics)
