"""Really asks: every address, as a visitor and in every role, with one's own object, another's, and another department's."""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone
from objects import KINDS, ROW, make_world

from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.forms import SCOPES
from chengshu.contexts.identity.sessions import SECOND_KEY

# Whose object it is, seen from who asks, and the place of its owner among the three people of a role.
RELATIONS = {"own": 0, "another's": 1, "another department's": 2}
# reach: how far a role gets, and for which of the relations that means yes.
REACH = {
    "none": (),
    "own": ("own",),
    "department": ("own", "another's"),
    "all": tuple(RELATIONS),
}
SAMPLES = {"int": "1", "str": "X", "slug": "x", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}
PARAMETER = re.compile(r"[<{](?:(\w+):)?(\w+)[>}]")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    route: str
    who: Any
    of: str
    reach: dict[str, str]
    given: dict[str, Any]
    send: dict[str, Any]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are let in; all of them where it is public."""
        if self.who in ("public", "signed-in"):
            return identity.ALL_ROLES
        return tuple(self.who)


class Trial:
    """The world and its browsers."""

    def __init__(self, folder: Any, rows: Iterable[Row]) -> None:
        self.world = make_world(folder)
        self.made: dict[tuple[str, int], dict[str, Any]] = {}
        for kind, role in sorted({(row.of, role) for row in rows if row.of != "open" for role in row.roles}):
            for owner in self.world.people[role]:
                self.made[kind, owner.pk] = KINDS[kind](self.world, owner)
        self.browsers = {"": Client(raise_request_exception=False)}
        for role, people in self.world.people.items():
            self.browsers[role] = self.browser(people[0])

    def browser(self, account: Any) -> Client:
        """A signed-in browser, which also knows a token with every scope for calls that want one."""
        client = Client(raise_request_exception=False)
        client.force_login(account)
        session = client.session
        session[SECOND_KEY] = int(timezone.now().timestamp())
        session.save()
        client.bearer = identity.make_token(
            account, "x", list(SCOPES), timedelta(days=1), timezone.now()
        ).secret
        return client

    def let_in(self, row: Row, role: str, relation: str, *, by_token: bool = False) -> tuple[bool, int]:
        """Ask as ``role`` about an object in ``relation``; say whether it was let in, and the answer's status.

        Nothing that the asking changes stays.
        """
        given = self.object_for(row, role, relation)
        with transaction.atomic():
            client = self.browsers[role]
            headers = {"Authorization": f"Bearer {client.bearer}"} if by_token and role else {}
            cookies = copy.copy(client.cookies)
            answer = self.ask(client, row, address_of(row.route, given), headers)
            # A way out ends the session for this asking only.
            client.cookies = cookies
            changed = has_changed(given.get(ROW))
            transaction.set_rollback(True)
        status = answer.status_code
        refused = status in (401, 403) or "/sign-in?" in answer.get("Location", "")
        if status == 401 and row.who == "public":
            # The address is open; whoever calls shows a token of its own, which is tried elsewhere.
            refused = False
        # Of an object that is not theirs people do not even learn that it exists.
        unknown = row.of != "open" and (status == 404 or (status == 302 and changed is False))
        return not (refused or unknown), status

    def ask(self, client: Client, row: Row, address: str, headers: dict[str, str]) -> Any:
        """Open a page, or press its button where it is none; make a call by its method."""
        method, _space, _path = row.route.rpartition(" ")
        if method:
            body = "" if method == "GET" else json.dumps(row.send)
            more = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": '"1"', **headers}
            return client.generic(method, address, body, content_type="application/json", headers=more)
        if row.send:
            return client.post(address, row.send, headers=headers)
        answer = client.get(address, headers=headers)
        return client.post(address, {}, headers=headers) if answer.status_code == 405 else answer

    def object_for(self, row: Row, role: str, relation: str) -> dict[str, Any]:
        """Return the object of its owner; what the row gives itself wins."""
        if row.of == "open":
            return dict(row.given)
        # Whoever is let in nowhere asks about somebody's.
        asks = role if role in row.roles else row.roles[0]
        owner = self.world.people[asks][RELATIONS[relation]]
        return {**self.made[row.of, owner.pk], **row.given}


def has_changed(row: Any) -> bool | None:
    """Say whether the row is another one in the database now; None where there is no row to look at."""
    if row is None:
        return None
    fresh = type(row).objects.filter(pk=row.pk).values().first()
    return fresh is None or any(plain(fresh[name]) != plain(getattr(row, name)) for name in fresh)


def plain(value: Any) -> Any:
    """Return bytes as bytes: databases give views of them."""
    return bytes(value) if isinstance(value, memoryview) else value


def address_of(route: str, given: dict[str, Any]) -> str:
    """Fill an address: from the object, else with a sample."""

    def value(match: re.Match[str]) -> str:
        return str(given.get(match[2], SAMPLES[match[1] or "str"]))

    return "/" + re.sub(r"[\^$]", "", PARAMETER.sub(value, route.rpartition(" ")[2]))


def has_parameters(route: str) -> bool:
    """Say whether an address names something."""
    return PARAMETER.search(route) is not None


def silence_rates(monkeypatch: Any) -> None:
    """No call of the trial waits for another."""
    full = SimpleNamespace(take=lambda *_args: 0.0)
    monkeypatch.setattr("chengshu.contexts.identity.rates.buckets", lambda _path: full)
