"""SCIM 2.0 over HTTP (RFC 7644): discovery, users, groups, search, PATCH, versions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    ForbiddenException,
    ListResponse,
    Meta,
    NotFoundException,
    NotImplementedException,
    PatchOp,
    PreconditionFailedException,
    ResourceType,
    Schema,
    SCIMException,
    SearchRequest,
    UnauthorizedException,
)

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.scim import store
from chengshu.interfaces.scim.resources import CONFIG, MOST_A_PAGE, PROVIDER, STAFF_URN, Group, StaffUser
from chengshu.kernel.problems import Problem

SCOPE = "staff:provision"
CONTENT = "application/scim+json"
RATE = identity.Rate(capacity=600, per_second=20)
View = Callable[..., HttpResponse]


class TooManyRequests(SCIMException):
    """The account's bucket is empty."""

    status = 429


def scim_call(*methods: str) -> Callable[[View], View]:
    """Guard a call: a token of an operator with the scope, one of the methods; errors in the protocol's form."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                request.user = caller(request)
                if request.method not in methods:
                    return answer_error(Error(status=405, detail="method not allowed"))
                with PROVIDER:
                    return view(request, *args, **kwargs)
            except SCIMException as error:
                return answer_error(error.to_error())
            except ValidationError as error:
                return answer_error(Error.from_validation_errors(error)[0])
            except Problem as problem:
                return answer_error(Error(status=problem.status, detail=problem.title))

        guarded.allowed_roles = frozenset({"operator"})  # type: ignore[attr-defined]
        guarded.by_token = SCOPE  # type: ignore[attr-defined]
        return guarded

    return decorate


def caller(request: HttpRequest) -> identity.Account:
    """Return whose token this is; a browser's session counts for nothing here."""
    kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
    found = identity.token_holder(secret.strip(), timezone.now()) if kind.lower() == "bearer" else None
    if found is None or not identity.may_act(found[0]):
        raise UnauthorizedException(detail="a token in force is needed")
    account, scopes = found
    try:
        identity.take_from_bucket("scim", str(account.pk), RATE, time.time())
    except Problem as problem:
        raise TooManyRequests(detail="too many calls") from problem
    if SCOPE not in scopes or account.role != "operator":
        raise ForbiddenException(detail=f"needs the scope {SCOPE} of an operator")
    return account


def answer(body: Any, status: int = 200, version: str = "", location: str = "") -> HttpResponse:
    """Answer JSON of the protocol."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    response = HttpResponse(text, status=status, content_type=CONTENT)
    response["Cache-Control"] = "private, no-store"
    if version:
        response["ETag"] = version
    if location:
        response["Location"] = location
    return response


def answer_error(error: Error) -> HttpResponse:
    """Answer an error of the protocol."""
    response = answer(error.model_dump_json(), int(error.status or 400))
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="chengshu"'
    return response


def answer_resource(
    resource: Any, context: Context, asked: SearchRequest[Any], status: int = 200
) -> HttpResponse:
    """Answer one resource, with the attributes that were asked for; its addresses are absolute."""
    body = resource.model_dump(scim_ctx=context, response_parameters=asked)
    made = absolute(body)
    location = made.get("meta", {}).get("location") or f"{settings.PUBLIC_URL}{resource.meta.location}"
    return answer(made, status, str(resource.meta.version), location if status == 201 else "")


def absolute(body: Any) -> Any:
    """Make addresses absolute: those of a resource and the references in it."""
    if isinstance(body, list):
        return [absolute(each) for each in body]
    if not isinstance(body, dict):
        return body
    return {
        key: f"{settings.PUBLIC_URL}{value}"
        if key in ("location", "$ref") and isinstance(value, str) and value.startswith("/")
        else absolute(value)
        for key, value in body.items()
    }


def found(resources: list[Any], asked: SearchRequest[Any], model: Any) -> HttpResponse:
    """Answer a list: filtered, sorted, one page."""
    if asked.filter is not None:
        resources = [each for each in resources if asked.filter.match(each)]
    resources = asked.sort(resources)
    first = max(asked.start_index or 1, 1) - 1
    count = MOST_A_PAGE if asked.count is None else min(asked.count, MOST_A_PAGE)
    page = resources[first : first + count]
    listed = ListResponse[model](
        total_results=len(resources), start_index=first + 1, items_per_page=len(page), resources=page
    )
    body = listed.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=asked)
    body.setdefault("Resources", [])
    return answer(absolute(body))


def check_version(request: HttpRequest, resource: Any) -> None:
    """Refuse a change to a version that is not the newest, where the caller names one."""
    wanted = request.headers.get("If-Match")
    if (
        wanted
        and wanted != "*"
        and str(resource.meta.version) not in [each.strip() for each in wanted.split(",")]
    ):
        raise PreconditionFailedException(detail="the resource has changed meanwhile")


def payload(request: HttpRequest) -> Any:
    """Read the body as JSON."""
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise SCIMException.from_error(
            Error(status=400, scim_type="invalidSyntax", detail="the body is not JSON")
        ) from error


class Collection:
    """The calls on one kind of resource; ``users`` and ``groups`` are two of it."""

    def __init__(
        self, model: Any, read_all: Any, read: Any, add: Any, lock: Any, change: Any, remove: Any
    ) -> None:
        self.model, self.read_all, self.read, self.lock = model, read_all, read, lock
        self.add, self.change, self.remove = add, change, remove

    def many(self, request: HttpRequest) -> HttpResponse:
        """List or make."""
        if request.method == "POST":
            asked = SearchRequest[self.model].model_validate(response_parameters(request))
            wanted = self.model.model_validate(payload(request), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
            made = self.add(wanted, request.user, timezone.now())
            return answer_resource(made, Context.RESOURCE_CREATION_RESPONSE, asked, 201)
        asked = SearchRequest[self.model].model_validate(request.GET.dict())
        return found(self.read_all(), asked, self.model)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Search by POST."""
        asked = SearchRequest[self.model].model_validate(payload(request), scim_ctx=Context.SEARCH_REQUEST)
        return found(self.read_all(), asked, self.model)

    def one(self, request: HttpRequest, key: str) -> HttpResponse:
        """Read, replace, patch or remove one."""
        asked = SearchRequest[self.model].model_validate(response_parameters(request))
        if request.method == "GET":
            current = self.read(key)
            if request.headers.get("If-None-Match") == str(current.meta.version):
                return answer("", 304, str(current.meta.version))
            return answer_resource(current, Context.RESOURCE_QUERY_RESPONSE, asked)
        with transaction.atomic():
            # Of two changes at once the second is judged by, and laid over, what the first has made.
            self.lock(key)
            return self.changed(request, key, asked)

    def changed(self, request: HttpRequest, key: str, asked: Any) -> HttpResponse:
        """Replace, patch or remove one that nobody else changes meanwhile."""
        current = self.read(key)
        check_version(request, current)
        now = timezone.now()
        if request.method == "DELETE":
            self.remove(key, request.user, now)
            return HttpResponse(status=204)
        if request.method == "PUT":
            wanted = self.model.model_validate(
                payload(request), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST
            )
            wanted.replace(current)
            context = Context.RESOURCE_REPLACEMENT_RESPONSE
        else:
            patch = PatchOp[self.model].model_validate(
                payload(request), scim_ctx=Context.RESOURCE_PATCH_REQUEST
            )
            wanted, context = current.model_copy(deep=True), Context.RESOURCE_PATCH_RESPONSE
            patch.patch(wanted)
        return answer_resource(self.change(key, wanted, request.user, now), context, asked)


def response_parameters(request: HttpRequest) -> dict[str, str]:
    """Return which attributes the caller wants to see."""
    return {key: request.GET[key] for key in ("attributes", "excludedAttributes") if key in request.GET}


_users = Collection(
    StaffUser, store.users, store.user, store.add_user, store.lock_user, store.change_user, store.remove_user
)
_groups = Collection(
    Group,
    store.groups,
    store.group,
    store.add_group,
    store.lock_group,
    store.change_group,
    store.remove_group,
)


@scim_call("GET", "POST")
def users(request: HttpRequest) -> HttpResponse:
    """List or make users."""
    return _users.many(request)


@scim_call("POST")
def search_users(request: HttpRequest) -> HttpResponse:
    """Search users."""
    return _users.search(request)


@scim_call("GET", "PUT", "PATCH", "DELETE")
def user(request: HttpRequest, key: str) -> HttpResponse:
    """Read or change one user."""
    return _users.one(request, key)


@scim_call("GET", "POST")
def groups(request: HttpRequest) -> HttpResponse:
    """List or make groups."""
    return _groups.many(request)


@scim_call("POST")
def search_groups(request: HttpRequest) -> HttpResponse:
    """Search groups."""
    return _groups.search(request)


@scim_call("GET", "PUT", "PATCH", "DELETE")
def group(request: HttpRequest, key: str) -> HttpResponse:
    """Read or change one group."""
    return _groups.one(request, key)


@scim_call("POST")
def search_all(request: HttpRequest) -> HttpResponse:
    """Search users and groups together."""
    both: Any = StaffUser | Group
    asked = SearchRequest[both].model_validate(payload(request), scim_ctx=Context.SEARCH_REQUEST)
    return found([*store.users(), *store.groups()], asked, both)


@scim_call("GET")
def config(request: HttpRequest) -> HttpResponse:
    """Say what the service can do."""
    no_filter(request)
    return described(CONFIG, "ServiceProviderConfig", "ServiceProviderConfig")


@scim_call("GET")
def resource_types(request: HttpRequest) -> HttpResponse:
    """List the kinds of resources."""
    no_filter(request)
    return all_described(ResourceType, PROVIDER.resource_types, "ResourceTypes")


@scim_call("GET")
def resource_type(request: HttpRequest, key: str) -> HttpResponse:
    """Describe one kind of resource."""
    return described(picked(PROVIDER.resource_types, key), "ResourceType", f"ResourceTypes/{key}")


@scim_call("GET")
def schemas(request: HttpRequest) -> HttpResponse:
    """List the schemas; the departments that may be named today stand in them."""
    no_filter(request)
    return all_described(Schema, live_schemas(), "Schemas")


@scim_call("GET")
def schema(request: HttpRequest, key: str) -> HttpResponse:
    """Describe one schema."""
    return described(picked(live_schemas(), key), "Schema", f"Schemas/{key}")


@scim_call("GET", "POST", "PUT", "PATCH", "DELETE")
def nothing(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer an address that is none of ours, in the protocol's form."""
    if path in ("Me", "Bulk"):
        raise NotImplementedException(detail=f"/{path} is not offered")
    raise NotFoundException(detail="there is nothing at this address")


def live_schemas() -> list[Schema]:
    """Return the schemas, with the codes of the departments there are."""
    made = [each.model_copy(deep=True) for each in PROVIDER.schemas]
    for each in made:
        for attribute in each.attributes or [] if str(each.id) == STAFF_URN else []:
            if attribute.name == "department":
                attribute.canonical_values = [row.pk for row in identity.departments()]
    return made


def no_filter(request: HttpRequest) -> None:
    """Refuse a filter on what describes the service (RFC 7644, 4)."""
    if "filter" in request.GET:
        raise ForbiddenException(detail="no filter here")


def picked(items: Any, key: str) -> Any:
    """Return the item of that id."""
    for each in items:
        if str(each.id).casefold() == key.casefold():
            return each
    raise NotFoundException(detail=f"no {key}")


def with_meta(item: Any, kind: str, path: str) -> Any:
    """Return a copy of an item with its metadata."""
    made = item.model_copy(deep=True)
    made.meta = Meta(resource_type=kind, location=f"{settings.PUBLIC_URL}{store.BASE}/{path}")
    return made


def described(item: Any, kind: str, path: str) -> HttpResponse:
    """Answer one item that describes the service."""
    return answer(with_meta(item, kind, path).model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def all_described(model: Any, items: Any, path: str) -> HttpResponse:
    """Answer all items of a kind that describe the service."""
    kind = path.removesuffix("s")
    listed = [with_meta(each, kind, f"{path}/{each.id}") for each in items]
    body = ListResponse[model](
        total_results=len(listed), start_index=1, items_per_page=len(listed), resources=listed
    )
    return answer(body.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))
