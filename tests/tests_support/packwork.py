"""What the end-to-end tests of packs share: people of a department, one step, the clocks."""

from __future__ import annotations

import json

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.certificates.models import RegisterEntry
from chengshu.contexts.identity import api as identity
from chengshu.site.simulation.samples import read_samples

# Stands for a paper that whoever acts hands in with the step: `handed` uploads it for them.
PAPER = ["paper"]


def officer(name, department):
    identity.save_department(department, department, department)
    return identity.save_account(name, display_name=name, role="officer", department=department)


def resident(name):
    return identity.save_account(name, display_name=name, role="resident")


def opened(pack, account, now, key="k1", **more):
    """Open a case with the facts of the pack's first golden case."""
    facts = {**read_samples(cases.current_files(pack)).openings[0].facts, **more}
    facts = {name: value for name, value in facts.items() if value is not None}
    return cases.open_case(pack, facts, opened_by=account, idempotency_key=key, now=now)


def handed(data, actor, now):
    """The answers with every paper uploaded by the account that names it."""
    if PAPER not in data.values():
        return data
    sent = cases.FileIn("paper.pdf", b"%PDF-1.7 of " + actor.username.encode(), "file")
    digest = cases.uploads.upload(actor, sent, "document", now).digest
    return {name: [digest] if value == PAPER else value for name, value in data.items()}


def take(case_id, name, actor, now, /, **data):
    return cases.command(
        case_id,
        name,
        handed(data, actor, now),
        actor=actor,
        expected_version=None,
        idempotency_key=None,
        now=now,
    )


def settle(now):
    """Let the clocks run: ended terms, then the outbox until it is empty."""
    cases.sweep(now)
    while cases.run_jobs(now):
        pass


def state(case_id):
    return Case.objects.get(pk=case_id).state


def children(case_id):
    return list(
        Case.objects.filter(parent_id=case_id).order_by("opened_at", "pk").values_list("pk", flat=True)
    )


def kept(case_id, name):
    """A value that the case keeps."""
    return json.loads(Case.objects.get(pk=case_id).body)["kept"][name]


def child_for(case_id, account):
    """The child case that was opened for this account."""
    return Case.objects.filter(parent_id=case_id, assignee=str(account.pk)).latest("opened_at").pk


def entries(register):
    """The keys that a register holds."""
    return list(RegisterEntry.objects.filter(register=register).values_list("key", flat=True))


def sound(*case_ids):
    """Events, projection, personal values and ledger leaves of these cases agree; no job is dead."""
    return [fault for case_id in case_ids for fault in cases.check_case(case_id)] + list(cases.dead_jobs())
