"""Who the tests of ratings, hotline and exports need, and how a service ends."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from chengshu.contexts.cases import api as cases
from chengshu.site.simulation.samples import read_samples
from tests_support.casework import MONDAY

HOUR = dt.timedelta(hours=1)
ME, OTHER = "P0000000017", "P0000000025"


def make_people(identity):
    for code, zh in (
        ("housing", "住房建设局"),
        ("data-bureau", "政务服务和数据管理局"),
        ("health", "卫生健康局"),
        ("finance", "财政局"),
    ):
        identity.save_department(code, zh, code)

    def save(username, role, department=None, subject_id=""):
        found = identity.save_account(
            username, display_name=username, role=role, department=department, subject_id=subject_id
        )
        found.refresh_from_db()
        return found

    return SimpleNamespace(
        me=save("me", "resident", subject_id=ME),
        other=save("other", "resident", subject_id=OTHER),
        officer=save("housing-a", "officer", "housing"),
        second=save("housing-b", "officer", "housing"),
        desk=save("desk-a", "officer", "data-bureau"),
        visitor=save("desk-b", "officer", "data-bureau"),
        treasurer=save("fin-a", "officer", "finance"),
        operator=save("op", "operator"),
        clerk=save("clerk", "clerk", "data-bureau"),
        steward=save("st", "steward"),
    )


def withdrawn_case(account, key="c1", now=MONDAY):
    """A resident applies for the subsidy and withdraws: a case that has ended."""
    facts = {
        n: v
        for n, v in read_samples(cases.current_files("childbirth-subsidy")).openings[0].facts.items()
        if v is not None
    }
    case_id = cases.open_case(
        "childbirth-subsidy",
        facts,
        opened_by=account,
        subject_id=account.subject_id,
        idempotency_key=key,
        now=now,
    )
    say(case_id, "withdraw", {}, account, now + HOUR)
    return case_id


def say(case_id, name, data, actor, now):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=now
    )
