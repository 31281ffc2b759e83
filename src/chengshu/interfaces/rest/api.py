"""The REST API under ``/api/v1``: one router for each context, problems as RFC 9457, OpenAPI 3.1."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from chengshu.interfaces.rest import cases, catalogue, ledger, places, subjects
from chengshu.kernel.problems import Problem

api = NinjaAPI(
    title="Chengshu",
    version="1",
    description="The open city hub: addresses, places, subjects, cases, corrections and the ledger.",
    urls_namespace="api-v1",
)


@api.exception_handler(Problem)
def on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer a ``Problem`` in its RFC 9457 form."""
    response = api.create_response(request, problem.to_dict(request.path), status=problem.status)
    response["Content-Type"] = "application/problem+json"
    return response


api.add_router("/addresses", places.addresses)
api.add_router("/places", places.router)
api.add_router("/catalogue", catalogue.router)
api.add_router("/cases", cases.router)
api.add_router("/subjects", subjects.router)
api.add_router("/returns", subjects.returns)
api.add_router("/ledger", ledger.router)
