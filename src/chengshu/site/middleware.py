"""Middleware: one log line and metric a request, security headers, problems as pages or JSON."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from chengshu.kernel.problems import Problem
from chengshu.site import metrics

log = structlog.get_logger("chengshu.request")
# What psycopg says of it, whichever way the text came.
NUL_REFUSED = "NUL (0x00)"
Handler = Callable[[HttpRequest], HttpResponse]
# What lies below is asked by programs.
API = "/api/"

# Everything comes from this host, and nothing is written into a page: no inline script, no style attribute.
# MapLibre runs as its CSP build, whose worker is a file.
CONTENT_SECURITY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
    "worker-src 'self'; connect-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)
# Features that no page uses; the camera is opened by the phone's own file chooser, not by a page.
PERMISSIONS = "camera=(), microphone=(), payment=(), usb=(), geolocation=(self)"


class RequestLogMiddleware:
    """Gives each request an id, times it, logs one line and counts it for ``/metrics``."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        started = time.perf_counter()
        request_id = uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
        seconds = time.perf_counter() - started
        match = request.resolver_match
        route = match.route if match else "unmatched"
        metrics.observe_request(request.method or "", route, response.status_code, seconds)
        response["X-Request-ID"] = request_id
        # The route, not the path: a path may carry an id that belongs to a person.
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            id=request_id,
        )
        return response


class ContentSecurityMiddleware:
    """Sends the content security policy: nothing is loaded from outside."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        if getattr(getattr(request, "user", None), "is_authenticated", False):
            # A page of someone signed in may hold personal data: no shared or later reader finds it in a cache.
            response.setdefault("Cache-Control", "private, no-store")
        return response


class ProblemMiddleware:
    """Turns a ``Problem`` raised by a view into a page, or into RFC 9457 JSON for the API.

    Below ``/api/`` it also says in JSON what no view was asked about: a path that is none, a method that is not taken.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        response = self.get_response(request)
        if not request.path.startswith(API) or "json" in response.get("Content-Type", ""):
            return response
        if response.status_code == 404:
            return problem_response(request, _no_such_call())
        if response.status_code == 405:
            answer = problem_response(request, _no_such_method(response.get("Allow", "")))
            answer["Allow"] = response.get("Allow", "")
            return answer
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a ``Problem``; anything else stays an error of ours."""
        if isinstance(exception, ValueError | DataError) and NUL_REFUSED in str(exception):
            # PostgreSQL keeps no NUL in a text: who sends one has sent bytes, not words.
            exception = Problem(
                "text-nul", _("文字里有空字符"), status=400, remedy=_("请删去看不见的字符再提交")
            )
        if not isinstance(exception, Problem):
            return None
        return problem_response(request, exception)


def _no_such_call() -> Problem:
    return Problem("call-unknown", _("没有这个接口"), status=404, remedy=_("接口说明见 /api/v1/docs"))


def _no_such_method(allowed: str) -> Problem:
    return Problem(
        "method-not-allowed",
        _("这个接口不接受这种方法"),
        detail=allowed,
        status=405,
        remedy=_("接口说明见 /api/v1/docs"),
    )


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Answer ``problem`` as JSON below ``/api/``, else as a page."""
    if request.path.startswith(API):
        response: HttpResponse = JsonResponse(
            problem.to_dict(request.path),
            status=problem.status,
            content_type="application/problem+json",
            json_dumps_params={"ensure_ascii": False},
        )
    else:
        response = render(request, "problem.html", {"problem": problem}, status=problem.status)
    if "retry_after" in problem.extra:
        response["Retry-After"] = str(problem.extra["retry_after"])
    return response
