"""A personnel system keeps the staff's accounts: hires, moves, ends, with work handed over."""

from __future__ import annotations

import datetime as dt
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Task
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places.models import CellCharge
from chengshu.interfaces.scim import store, views
from tests_support.casework import CELL, MONDAY, firm_facts, make_cells

STAFF = "urn:chengshu:scim:schemas:1.0:Staff"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def somebody(name="chen", role="grid_worker", department="grid-office", **more):
    return {
        "schemas": [USER, STAFF], "userName": name, "displayName": f"某{name}", "active": True,
        STAFF: {"role": role, "department": department}, **more,
    }  # fmt: skip


def patched(*operations):
    return {"schemas": [PATCH], "Operations": list(operations)}


def test_someone_is_hired_and_found_by_filter(call):
    made = call(
        "post",
        "Users",
        somebody(externalId="P-1", emails=[{"value": "c@example.org", "primary": True, "type": "work"}]),
    )
    assert made.status_code == 201 and made["Location"].endswith(f"/Users/{made.json()['id']}")
    account = identity.account_named("chen")
    assert account.role == "grid_worker" and account.department_id == "grid-office"
    assert not account.has_usable_password() and account.email == "c@example.org"
    for question in (
        'userName eq "CHEN"',
        'externalId eq "P-1"',
        f'{STAFF}:department eq "grid-office" and active eq true',
        'emails.value co "example"',
    ):
        found = call("get", f"Users?filter={question}").json()
        assert [each["userName"] for each in found["Resources"]] == ["chen"], question
    wrong = call("get", "Users?filter=userName zz 1")
    assert wrong.status_code == 400 and wrong.json()["scimType"] == "invalidFilter"


def test_pages_and_order(call):
    for name in ("a1", "a3", "a2"):
        call("post", "Users", somebody(name))
    page = call("get", "Users?sortBy=userName&sortOrder=descending&startIndex=2&count=2").json()
    assert page["totalResults"] == 4 and page["itemsPerPage"] == 2
    assert [each["userName"] for each in page["Resources"]] == ["a3", "a2"]
    only = call("get", "Users?attributes=userName&count=1").json()["Resources"][0]
    assert "displayName" not in only and only["userName"]


def test_a_version_that_has_changed_meanwhile_is_not_overwritten(call):
    made = call("post", "Users", somebody())
    path, old = f"Users/{made.json()['id']}", made["ETag"]
    assert call("get", path, **{"If-None-Match": old}).status_code == 304
    change = patched({"op": "replace", "path": "displayName", "value": "陈志强"})
    changed = call("patch", path, change, **{"If-Match": old})
    assert changed.json()["displayName"] == "陈志强" and changed["ETag"] != old
    assert call("patch", path, change, **{"If-Match": old}).status_code == 412


def test_a_name_is_given_once_and_a_wrong_department_or_role_is_refused(call):
    call("post", "Users", somebody())
    twice = call("post", "Users", somebody())
    assert twice.status_code == 409 and twice.json()["scimType"] == "uniqueness"
    assert call("post", "Users", somebody("x", department="nowhere")).status_code == 400
    assert call("post", "Users", somebody("x", role="emperor")).status_code == 400
    assert call("post", "Users", somebody("x", role="resident")).status_code == 400


def test_residents_are_no_staff(call, db):
    resident = identity.save_account("re", display_name="居民", role="resident", subject_id="P0000000017")
    assert call("get", f"Users/{resident.pk}").status_code == 404
    assert "居民" not in call("get", "Users").content.decode()


@pytest.fixture
def worker(call):
    """A grid worker with a cell, an open task, and a token."""
    make_cells()
    account = identity.account(int(call("post", "Users", somebody(externalId="P-1")).json()["id"]))
    CellCharge.objects.create(cell_id=CELL, account=account, post="main", first_day=dt.date(2026, 1, 1))
    cases.load_shipped(MONDAY)
    cases.open_case(
        "grid-verification", firm_facts(), opened_by=None, cell_code=CELL, subject_id="F000000017",
        idempotency_key="k", now=MONDAY,
    )  # fmt: skip
    assert Task.objects.filter(open=True, owner=f"account:{account.pk}").exists()
    return account


@pytest.mark.parametrize("way", ["patch", "delete"])
def test_who_is_ended_hands_over_work_and_cells_and_signs_in_no_more(call, worker, way):
    token = identity.make_token(worker, "x", ["cases:read"], timedelta(days=1), timezone.now()).secret
    path = f"Users/{worker.pk}"
    if way == "patch":
        ended = call("patch", path, patched({"op": "replace", "path": "active", "value": False}))
        assert ended.json()["active"] is False
    else:
        assert call("delete", path).status_code == 204 and call("get", path).status_code == 404
    worker.refresh_from_db()
    assert not identity.may_act(worker) and identity.token_holder(token, timezone.now()) is None
    assert not Task.objects.filter(open=True, owner=f"account:{worker.pk}").exists()
    assert not CellCharge.objects.filter(account=worker, last_day=None).exists()


def test_who_comes_back_gets_the_old_account_only_as_the_same_person(call, worker):
    call("delete", f"Users/{worker.pk}")
    assert call("post", "Users", somebody(externalId="P-2")).status_code == 409
    back = call("post", "Users", somebody(externalId="P-1"))
    assert back.status_code == 201 and back.json()["id"] == str(worker.pk)
    assert identity.may_act(identity.account(worker.pk))


def test_cells_are_shown(call, worker):
    assert call("get", f"Users/{worker.pk}").json()[STAFF]["cells"] == [CELL]


def test_departments_are_groups_with_their_people(call):
    call("post", "Users", somebody())
    group = call("get", "Groups/grid-office").json()
    assert group["displayName"] == "网格办" and [each["display"] for each in group["members"]] == ["某chen"]
    assert call("delete", "Groups/grid-office").status_code == 409
    new = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "信访局",
        "externalId": "petitions",
    }
    assert call("post", "Groups", new).json()["id"] == "petitions"
    assert call("delete", "Groups/petitions").status_code == 204


def test_only_an_operators_token_with_the_scope_opens_the_door(call, operator, db, client):
    client.force_login(operator)
    assert client.get("/scim/v2/Users").status_code == 401  # a session counts for nothing
    for role, scopes in (("operator", ["cases:read"]), ("steward", ["staff:provision"])):
        someone = identity.save_account(f"t-{role}", display_name="x", role=role)
        secret = identity.make_token(someone, "x", scopes, timedelta(days=1), timezone.now()).secret
        answer = client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 403, role
    assert call("delete", f"Users/{operator.pk}").status_code == 409  # nobody ends the account they act with


def test_few_queries_for_many(call, django_assert_max_num_queries):
    for number in range(12):
        call("post", "Users", somebody(f"n{number}"))
    with django_assert_max_num_queries(15):
        assert call("get", "Users").json()["totalResults"] == 13
    with django_assert_max_num_queries(15):
        call("get", "Groups")


def test_a_password_that_is_changed_meanwhile_stays(call, monkeypatch):
    key = call("post", "Users", somebody()).json()["id"]
    write = store._write

    def meanwhile(account, wanted):
        identity.Account.objects.filter(pk=account.pk).update(password="changed-meanwhile")
        write(account, wanted)

    monkeypatch.setattr(store, "_write", meanwhile)
    call("patch", f"Users/{key}", patched({"op": "replace", "path": "displayName", "value": "陈志强"}))
    account = identity.account_named("chen")
    assert (account.display_name, account.password) == ("陈志强", "changed-meanwhile")


@pytest.mark.django_db(transaction=True)
def test_a_version_is_compared_and_changed_in_one_transaction(call, monkeypatch):
    key, inside = call("post", "Users", somebody()).json()["id"], []
    check = views.check_version
    monkeypatch.setattr(
        views, "check_version", lambda *said: (inside.append(connection.in_atomic_block), check(*said))
    )
    call("patch", f"Users/{key}", patched({"op": "replace", "path": "displayName", "value": "陈志强"}))
    assert inside == [True]
    assert call("get", "Users/²").status_code == 404


def test_names_that_differ_by_case_alone_or_do_not_fit_are_refused_on_any_database(call):
    call("post", "Users", somebody())
    assert call("post", "Users", somebody("CHEN")).status_code == 409
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "局" * 81}
    for path, body in (
        ("Users", somebody("li", externalId="x" * 121)),
        ("Users", somebody("li\0")),
        ("Groups", group),
    ):
        answer = call("post", path, body)
        assert answer.status_code == 400, answer.content
