"""A steward halts a table with a reason: forms then ask; the page and the command show who, when, why, until when."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from django.test import Client

from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.subjects import api as subjects
from chengshu.site.cli.source import app

SOURCE = "public-security.residents"


@pytest.fixture
def browser(staff):
    found = Client()
    found.force_login(staff.steward)
    return found


def test_a_source_is_halted_and_resumed_on_the_page_with_both_reasons_on_record(anna, browser):
    page = browser.get("/sources/").content.decode()
    assert SOURCE in page and "在用" in page
    wrong = browser.post("/sources/", {"source": SOURCE, "kind": "down", "reason": ""})
    assert wrong.status_code == 422 and not subjects.halted_sources()
    browser.post("/sources/", {"source": SOURCE, "kind": "down", "reason": "机房停电"})
    assert subjects.halted_sources() == {SOURCE: "down"}
    assert "机房停电" in browser.get("/sources/").content.decode()
    assert browser.get(f"/sources/{SOURCE}/resume").status_code == 200
    browser.post(f"/sources/{SOURCE}/resume", {"reason": "已恢复供电"})
    assert not subjects.halted_sources()
    page = browser.get("/sources/").content.decode()
    assert "已恢复供电" in page and "机房停电" in page
    assert browser.get(f"/sources/{SOURCE}/resume").status_code == 404
    kinds = [entry.kind for entry in ledger.entries_for(f"source:{SOURCE}")]
    assert kinds == ["source-halted", "source-resumed"]


def test_the_command_has_the_same_rights_and_words(anna, staff, monkeypatch):
    monkeypatch.setattr("chengshu.site.cli.source.setup_django", lambda: None)
    call = CliRunner().invoke
    steward = ["--as", staff.steward.username]
    assert call(app, ["halt", SOURCE, "--reason", "协议到期", "--kind", "withdrawn", *steward]).exit_code == 0
    listed = json.loads(call(app, ["list", "--json"]).output)
    assert (listed[0]["source"], listed[0]["halted"], listed[0]["reason"]) == (
        SOURCE,
        "withdrawn",
        "协议到期",
    )
    assert call(app, ["halt", "nobody.knows", "--reason", "x", *steward]).exception.code == "source-unknown"
    assert call(app, ["resume", SOURCE, "--reason", "x", "--as", "anna"]).exception.code == "account-unknown"
    assert call(app, ["resume", SOURCE, "--reason", "新协议", *steward]).exit_code == 0
    history = json.loads(call(app, ["list", "--history", "--json"]).output)["history"]
    assert history[0]["ended_reason"] == "新协议"
