"""Pages of operations: the front page of each role, display settings, about, reports of errors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.identity.api import public_page

YEAR = 365 * 24 * 3600
DISPLAY = {"theme": ("auto", "light", "dark"), "size": ("normal", "large")}


@public_page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the front page."""
    return render(request, "operations/visitor.html")


@public_page
@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep how the reader wants pages shown, in a cookie, and go back to the page."""
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    response = HttpResponseRedirect(target if safe else "/")
    for name, allowed in DISPLAY.items():
        if (value := request.POST.get(name)) in allowed:
            response.set_cookie(name, value, max_age=YEAR, samesite="Lax", httponly=True)
    return response


@public_page
@require_GET
def about(request: HttpRequest) -> HttpResponse:
    """Say what this site is, how far it is accessible, and what data it shows."""
    return render(request, "operations/about.html")


@public_page
@require_http_methods(["GET", "POST"])
def report_error(request: HttpRequest) -> HttpResponse:
    """Take a report of an error on a page."""
    return render(request, "operations/about.html")
