"""A person, an operator, a registered system, and a small client that speaks to us as that system would."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.oidc import store

BACK = "https://library.example/back"


@pytest.fixture(autouse=True)
def quick(settings, monkeypatch):
    """Argon2 is slow on purpose; one key does for all tests of this process."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.PUBLIC_URL = "http://localhost:8000"


@pytest.fixture
def person(db):
    identity.save_department("market", "市场监管局", "Market Supervision")
    return identity.save_account(
        "zhou", display_name="周敏", role="officer", department="market", password="a long password"
    )


@pytest.fixture
def operator(db):
    return identity.save_account("op", display_name="运行员", role="operator", password="a long password")


@pytest.fixture
def system(db):
    """A system that may ask for everything."""
    return store.add_system(
        "区图书馆",
        name_en="District library",
        purpose="登录后借书",
        redirect_uris=[BACK],
        post_logout_redirect_uris=["https://library.example/bye"],
        scopes=["profile", "department", "role", "phone", "offline_access"],
        actor=None,
        now=timezone.now(),
    )


class Party:
    """The system's side: asks, exchanges, verifies."""

    verifier = "v" * 64

    def __init__(self, made, back=BACK):
        self.made, self.back, self.http = made, back, Client()

    def question(self, scope="openid profile", **more):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "client_id": self.made.system.client_id,
            "redirect_uri": self.back,
            "response_type": "code",
            "scope": scope,
            "state": "s1",
            "nonce": "n1",
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            **more,
        }
        return "/oidc/authorize?" + urlencode({k: v for k, v in asked.items() if v is not None})

    def code(self, answer):
        assert answer.status_code == 302, answer.content.decode()[:2000]
        back = parse_qs(urlsplit(answer["Location"]).query)
        assert answer["Location"].startswith(self.back) and back["state"] == ["s1"]
        return back["code"][0]

    def exchange(self, code, **more):
        return self.post(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.back,
            code_verifier=more.pop("code_verifier", self.verifier),
            **more,
        )

    def post(self, **fields):
        credentials = base64.b64encode(f"{self.made.system.client_id}:{self.made.secret}".encode()).decode()
        return self.http.post("/oidc/token", fields, headers={"Authorization": f"Basic {credentials}"})

    def read(self, id_token):
        published = KeySet.import_key_set(self.http.get("/oidc/jwks.json").json())
        return jwt.decode(id_token, published, algorithms=["RS256"]).claims

    def userinfo(self, access_token):
        return self.http.get("/oidc/userinfo", headers={"Authorization": f"Bearer {access_token}"})


@pytest.fixture
def party(system):
    return Party(system)


@pytest.fixture
def signed_in(person):
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.fixture
def allow(party, signed_in):
    """Ask, allow, and return the code."""

    def allowing(scope="openid profile", **more):
        question = party.question(scope, **more)
        return party.code(signed_in.post(question, {"decision": "allow"}))

    return allowing
