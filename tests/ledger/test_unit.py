# ruff: noqa: PT012 - what fails inside a transaction needs more than one statement
"""The short transaction behaves like Django's ``atomic()``: whole or nothing, nested blocks, hooks after the commit."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from chengshu.contexts.ledger import api
from chengshu.contexts.ledger.models import KindRow, LeafRow

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def test_what_fails_leaves_nothing_and_the_connection_goes_on():
    with pytest.raises(ZeroDivisionError), api.Unit():
        api.deposit("kind", "a", {}, now=NOW)
        raise ZeroDivisionError
    assert LeafRow.objects.count() == 0 and not connection.in_atomic_block
    api.append("kind", "b", {}, now=NOW)
    assert [row.reference for row in LeafRow.objects.all()] == ["b"]


def test_a_nested_block_fails_alone():
    with api.Unit():
        api.deposit("kind", "outer", {}, now=NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            api.deposit("kind", "inner", {}, now=NOW)
            KindRow.objects.create(kind="same")
            KindRow.objects.bulk_create([KindRow(kind="same")])
        with api.Unit():
            api.deposit("kind", "unit in unit", {}, now=NOW)
    assert sorted(LeafRow.objects.values_list("reference", flat=True)) == ["outer", "unit in unit"]
    assert not KindRow.objects.exists()


def test_hooks_run_after_the_commit_and_not_after_a_rollback():
    seen = []
    with api.Unit():
        transaction.on_commit(lambda: seen.append(connection.in_atomic_block))
        assert seen == []
    assert seen == [False]
    with pytest.raises(KeyError), api.Unit():
        transaction.on_commit(lambda: seen.append("never"))
        raise KeyError
    assert seen == [False]


def test_a_transaction_marked_for_rollback_is_rolled_back_and_refuses_statements():
    with api.Unit() as db:
        api.deposit("kind", "a", {}, now=NOW)
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            db.run("SELECT 1")
    assert LeafRow.objects.count() == 0
    api.append("kind", "b", {}, now=NOW)


def test_a_durable_block_is_refused_inside():
    with api.Unit(), pytest.raises(RuntimeError), transaction.atomic(durable=True):
        pass


def test_inside_atomic_it_is_a_part_of_it():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with api.Unit():
            api.deposit("kind", "a", {}, now=NOW)
        raise ZeroDivisionError
    assert LeafRow.objects.count() == 0
