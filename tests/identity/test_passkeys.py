"""Someone registers a passkey and signs in with it, in Debian's Chromium with a virtual authenticator.

WebAuthn's own checks (origin, challenge, signature, counter) run for real on both sides.
"""

from __future__ import annotations

import pytest
from django.contrib.auth import SESSION_KEY
from playwright.sync_api import Page

from chengshu.contexts.identity import api
from chengshu.contexts.identity.models import Passkey

PASSWORD = "a long password"


@pytest.fixture
def page(live_server, chromium):
    """A browser at the sign-in page, its device able to make passkeys and to verify its user."""
    context = chromium.new_context(base_url=live_server.url, locale="zh-CN")
    context.set_default_timeout(20_000)
    made = context.new_page()
    cdp = context.new_cdp_session(made)
    cdp.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made.device = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": device})["authenticatorId"]
    made.cdp = cdp
    yield made
    context.close()


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.fill("input[name=username]", "officer")
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form .actions button").first.click()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_passkey_is_registered_used_alone_used_as_second_factor_and_removed(page, client, live_server):
    api.save_account("officer", display_name="某经办", role="officer", password=PASSWORD)
    errors: list[str] = []
    page.on("console", lambda each: errors.append(each.text) if each.type == "error" else None)

    # 1. Registered under a name; the first factor brings recovery codes.
    sign_in(page)
    page.goto("/account/security/passkeys")
    page.fill("input[name=name]", "办公室的密钥")
    page.get_by_role("button", name="登记").click()
    page.get_by_role("heading", name="恢复码").wait_for()
    assert page.locator("ul.codes code").count() == 10
    row = Passkey.objects.get()
    assert (row.name, row.account.username) == ("办公室的密钥", "officer")

    # 2. Used alone: the device verifies its user, so no password and no further step.
    page.goto("/account")
    page.locator("header details:has(form[action='/sign-out']) > summary").click()
    page.locator("header form[action='/sign-out'] button").click()
    page.goto("/sign-in/passkey?next=/account")
    page.get_by_role("button", name="用通行密钥登录").click()
    page.wait_for_url(live_server.url + "/account")  # a pattern would find it in ?next= too
    assert "某经办" in page.locator("main").inner_text()
    row.refresh_from_db()
    assert row.last_used_at is not None

    # 3. As the second factor after the password.
    page.context.clear_cookies()
    sign_in(page)
    page.wait_for_url("**/sign-in/second")
    page.get_by_role("button", name="用通行密钥验证").click()
    page.wait_for_url(live_server.url + "/")

    # 4. A device that does not verify its user is not let in by the passkey alone.
    page.context.clear_cookies()
    page.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": page.device, "isUserVerified": False})
    page.goto("/sign-in/passkey")
    page.get_by_role("button", name="用通行密钥登录").click()
    page.locator("[data-passkey-failed]:not([hidden])").wait_for()

    # 5. An answer to another challenge, or none at all, signs nobody in.
    client.get("/sign-in/passkey")
    for answer in ("", "{}", '{"id": "' + row.credential + '"}', "[]"):
        client.get("/sign-in/passkey")
        assert client.post("/sign-in/passkey", {"answer": answer}).status_code == 422
    assert SESSION_KEY not in client.session

    # 6. Removed, it opens nothing.
    page.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": page.device, "isUserVerified": True})
    page.goto("/sign-in/passkey?next=/account/security")
    page.get_by_role("button", name="用通行密钥登录").click()
    page.wait_for_url("**/account/security")
    page.on("dialog", lambda each: each.accept())
    page.get_by_role("button", name="移除 办公室的密钥").click()
    page.get_by_text("通行密钥已移除").wait_for()
    assert not Passkey.objects.exists()
    page.context.clear_cookies()
    page.goto("/sign-in/passkey")
    page.get_by_role("button", name="用通行密钥登录").click()
    page.get_by_text("通行密钥没有通过").wait_for()
    assert [each for each in errors if "422" not in each] == []
