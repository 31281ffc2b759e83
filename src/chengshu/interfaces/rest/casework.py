"""REST calls around a case: foresight, claiming, remarks, steps of the public.

A call that changes something takes an ``Idempotency-Key``, or is harmless when it is sent twice.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Header, Path, Router, Schema

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import STAFF_ROLES
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.cases import _id, _version
from chengshu.interfaces.rest.opening import ForesightOut
from chengshu.interfaces.rest.wording import COMMAND, SAID, TEXT, VERSION, Key, refused
from chengshu.kernel.problems import Problem

around = Router(tags=["cases"])

Seen = Annotated[
    str,
    Header("", alias="If-Match", pattern=f"^$|{VERSION}", description='The version decided on, such as "3"'),
]


class ReasonIn(Schema):
    """Why; may be empty where nobody asks."""

    reason: str = Field("", max_length=300, pattern=TEXT)


class DelegateIn(Schema):
    """To whom a task goes, by sign-in name, and why."""

    to: str = Field(..., min_length=1, max_length=60, pattern=SAID)
    reason: str = Field(..., min_length=1, max_length=300, pattern=SAID)


class HandsOut(Schema):
    """The case's version after a change of hands."""

    case_id: str
    version: int


class CommentIn(Schema):
    """A remark among staff."""

    text: str = Field(..., min_length=1, max_length=2000, pattern=SAID)


class CommentOut(Schema):
    """A remark among staff, as it stands."""

    id: int
    author_name: str
    text: str
    at: dt.datetime
    erased: bool


class PublicIn(Schema):
    """What a member of the public says."""

    data: dict[str, Any] = Field(default_factory=dict)


class PublicOut(Schema):
    """Receipt of a public step: its place in the history and the ledger, and the cases it opened for the caller."""

    case_id: str
    seq: int
    at: dt.datetime
    leaf_id: int
    opened: list[str]


@around.get(
    "/{case_id}/foresight",
    auth=guard(scope="cases:read"),
    response=ForesightOut,
    summary="Decided at the latest",
)
def case_foresight(request: HttpRequest, case_id: str) -> Any:
    """Say when a case is decided at the latest, as it stands now."""
    now = timezone.now()
    cases.access_case(_id(case_id), request.user, now)
    return asdict(cases.what_if_case(case_id, now))


@around.post(
    "/{case_id}/claim", auth=guard("officer", scope="cases:write"), response=HandsOut, summary="Claim"
)
def claim(request: HttpRequest, case_id: str, if_match: Seen = "") -> Any:
    """Take the case's task out of the department's queue, for the caller."""
    done = cases.claiming.claim(_id(case_id), request.user, timezone.now(), _seen(if_match))
    return {"case_id": done.case_id, "version": done.seq}


@around.post(
    "/{case_id}/give-back", auth=guard("officer", scope="cases:write"), response=HandsOut, summary="Give back"
)
def give_back(request: HttpRequest, case_id: str, body: ReasonIn, if_match: Seen = "") -> Any:
    """Put a claimed task back into the department's queue."""
    cases.access_case(_id(case_id), request.user, timezone.now())
    done = cases.claiming.give_back(case_id, request.user, body.reason, timezone.now(), _seen(if_match))
    return {"case_id": done.case_id, "version": done.seq}


@around.post(
    "/{case_id}/delegate",
    auth=guard("officer", scope="cases:write"),
    response=HandsOut,
    summary="Delegate",
    openapi_extra=refused("Nobody has this sign-in name, or they may not have the task"),
)
def delegate(request: HttpRequest, case_id: str, body: DelegateIn, if_match: Seen = "") -> Any:
    """Pass a task to a colleague of the department."""
    to = identity.account_named(body.to)
    if to is None:
        raise Problem("account-unknown", "没有这个账户", detail=body.to, status=422)
    done = cases.claiming.delegate(
        _id(case_id), request.user, to, body.reason, timezone.now(), _seen(if_match)
    )
    return {"case_id": done.case_id, "version": done.seq}


@around.get(
    "/{case_id}/comments",
    auth=guard(*STAFF_ROLES, scope="cases:read"),
    response=list[CommentOut],
    summary="Remarks",
)
def list_comments(request: HttpRequest, case_id: str) -> Any:
    """List the remarks of a case, which stay among the staff who work on it."""
    return [asdict(item) for item in cases.comments.comments_of(_id(case_id), request.user, timezone.now())]


@around.post(
    "/{case_id}/comments",
    auth=guard(*STAFF_ROLES, scope="cases:write"),
    response={201: CommentOut},
    summary="Remark",
)
def add_comment(request: HttpRequest, case_id: str, body: CommentIn) -> Any:
    """Write a remark that stays inside."""
    return 201, asdict(cases.comments.add_comment(_id(case_id), request.user, body.text, timezone.now()))


@around.post(
    "/{case_id}/public/{command}",
    auth=guard(scope="cases:write"),
    response={201: PublicOut},
    summary="Public step",
    openapi_extra=refused("The answers do not fit the form of the step"),
)
def public_step(
    request: HttpRequest,
    case_id: str,
    command: Annotated[str, Path(..., pattern=COMMAND)],
    body: PublicIn,
    idempotency_key: Key,
) -> Any:
    """Take a step that the pack gives to the public, such as an objection; the case file stays closed."""
    receipt = cases.public_command(
        _id(case_id),
        command,
        body.data,
        actor=request.user,
        now=timezone.now(),
        idempotency_key=idempotency_key,
    )
    return 201, asdict(receipt)


def _seen(if_match: str) -> int | None:
    return _version(if_match) if if_match else None
