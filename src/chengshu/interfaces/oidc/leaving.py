"""How the browser goes from us to another system.

Our pages forbid that a form leads to another host (``form-action 'self'``), and browsers apply this to redirects after a form
too. So where a form of ours began the way (sign-in, consent), a page says where it goes on to and goes there by itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render


def leave_for(request: HttpRequest, target: str, name: str) -> HttpResponse:
    """Send the browser to ``target``, an address of the system ``name`` that was registered before."""
    if not from_own_form(request):
        response: HttpResponse = HttpResponseRedirect(target)
    else:
        response = render(request, "oidc/leaving.html", {"target": target, "name": name})
    response["Cache-Control"] = "no-store"
    return response


def from_own_form(request: HttpRequest) -> bool:
    """Say whether this request came from a page of ours, as after a form; browsers tell by Sec-Fetch-Site or Referer."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Referer", "")).netloc == request.get_host()
