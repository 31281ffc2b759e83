"""What holds for every request of someone signed in: the limits of the session, and the second factor of the role."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from chengshu.contexts.identity import sessions
from chengshu.contexts.identity.models import Account
from chengshu.contexts.identity.signing_in import must_have_second_factor
from chengshu.kernel.problems import Problem

Handler = Callable[[HttpRequest], HttpResponse]
# What one may do before a second factor is set up: set it up, sign out, choose how pages are shown.
OPEN_NAMES = ("identity:sign_out", "operations:display", "set_language", "javascript-catalog")
OPEN_BELOW = ("/account/security", "/sign-in", "/static/", "/healthz", "/readyz")


class SessionMiddleware:
    """Ends sessions past their limits; keeps roles that need a second factor from working without one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request; one without a session costs no query."""
        if SESSION_KEY not in request.session:
            return self.get_response(request)
        if not isinstance(request.user, Account):
            return self.get_response(request)
        # The role of this moment: whoever was given another one since signing in has its duties at once.
        now, role = timezone.now(), request.user.role
        why = sessions.over(request.session, role, now)
        if why:
            sessions.note_end(request.session, why, now)
            logout(request)
            messages.info(request, _("为保护您的信息，长时间没有操作或登录满时限后会自动退出，请重新登录。"))
            return self.get_response(request)
        if self._lacks_factor(request, role):
            return refuse(request)
        sessions.touch(request.session, now)
        return self.get_response(request)

    def _lacks_factor(self, request: HttpRequest, role: str) -> bool:
        if not must_have_second_factor(role) or sessions.SECOND_KEY in request.session:
            return False
        open_paths = {reverse(name) for name in OPEN_NAMES}
        return request.path not in open_paths and not request.path.startswith(OPEN_BELOW)


def refuse(request: HttpRequest) -> HttpResponse:
    """Lead to where a second factor is set up; tell a program so."""
    if not request.path.startswith("/api/"):
        return HttpResponseRedirect(reverse("identity:security"))
    problem = Problem(
        "second-factor-missing", _("您的角色须先设置第二重验证"), status=403, remedy=_("在“账户安全”中设置"),
    )  # fmt: skip
    return JsonResponse(
        problem.to_dict(request.path), status=403, content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
    )  # fmt: skip
