"""A wallet as a program of its own: speaks OpenID4VCI 1.0 over real HTTP, knows nothing of Chengshu but an offer's link."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from joserfc import jws
from joserfc.jwk import ECKey

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


def well_known(issuer: str, name: str) -> str:
    """Return where metadata lies: between host and path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path}"


class Wallet:
    """Takes an offer; keeps keys and credentials."""

    def __init__(self, link: str, clock=time.time) -> None:
        self.http, self.clock = requests.Session(), clock
        uri = parse_qs(urlsplit(link).query)["credential_offer_uri"][0]
        self.offer = self._json(self.http.get(uri))
        self.issuer = self.offer["credential_issuer"]
        self.metadata = self._json(self.http.get(well_known(self.issuer, "openid-credential-issuer")))
        assert self.metadata["credential_issuer"] == self.issuer
        self.server = self._json(self.http.get(well_known(self.issuer, "oauth-authorization-server")))
        self.token: dict[str, Any] = {}
        self.keys: list[ECKey] = []

    @staticmethod
    def _json(answer: requests.Response) -> Any:
        answer.raise_for_status()
        return answer.json()

    def get_token(self, tx_code: str) -> requests.Response:
        code = self.offer["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, "tx_code": tx_code}
        answer = self.http.post(self.server["token_endpoint"], data=form)
        if answer.status_code == 200:
            self.token = answer.json()
        return answer

    def nonce(self) -> str:
        return str(self._json(self.http.post(self.metadata["nonce_endpoint"]))["c_nonce"])

    def proof(self, nonce: str, key: ECKey, **more: Any) -> str:
        public = {
            name: value
            for name, value in key.as_dict(private=False).items()
            if name in ("kty", "crv", "x", "y")
        }
        header = {"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": public}
        said = {"aud": self.issuer, "iat": int(self.clock()), "nonce": nonce} | more
        import json

        return str(jws.serialize_compact(header, json.dumps(said).encode(), key, algorithms=["ES256"]))

    def get_credentials(self, proofs: list[str], **more: Any) -> requests.Response:
        (details,) = self.token["authorization_details"]
        asked = {
            "credential_identifier": details["credential_identifiers"][0],
            "proofs": {"jwt": proofs},
        } | more
        bearer = {"Authorization": f"Bearer {self.token['access_token']}"}
        return self.http.post(self.metadata["credential_endpoint"], json=asked, headers=bearer)

    def take(self, tx_code: str, number: int = 1) -> list[str]:
        self.get_token(tx_code).raise_for_status()
        nonce = self.nonce()
        self.keys = [ECKey.generate_key("P-256") for _ in range(number)]
        said = self._json(self.get_credentials([self.proof(nonce, key) for key in self.keys]))
        bearer = {"Authorization": f"Bearer {self.token['access_token']}"}
        told = {"notification_id": said["notification_id"], "event": "credential_accepted"}
        assert (
            self.http.post(self.metadata["notification_endpoint"], json=told, headers=bearer).status_code
            == 204
        )
        return [each["credential"] for each in said["credentials"]]
