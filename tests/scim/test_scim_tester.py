"""The outside suite scim2-tester, over WSGI, against the whole application: all green."""

from __future__ import annotations

from django.core.handlers.wsgi import WSGIHandler
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from chengshu.interfaces.scim import views


def test_the_outside_suite_is_all_green(token, monkeypatch, settings):
    settings.PUBLIC_URL = "http://testserver"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(views, "RATE", views.identity.Rate(capacity=10**6, per_second=10**5))
    headers = {"Authorization": f"Bearer {token}"}
    suite = WSGISCIMClient(WSGIHandler(), base_url="http://testserver/scim/v2", headers=headers)
    results = check_server(suite)
    # Nothing is let pass: the suite also knows "deviates from a recommendation" and "skipped", and we have neither.
    # Should one be taken on, it is named here with its reason.
    other = [
        f"{each.status.name} {each.title}: {each.reason}"
        for each in results
        if each.status is not Status.SUCCESS
    ]
    assert other == [], "\n".join(other)
    assert len(results) >= 60, len(results)
