"""A VC-API around our own issuer and verifier, for the W3C's suite: it signs and verifies by the program's own functions.

``POST /credentials/issue`` signs by ``credentials.secure`` and answers with an EnvelopedVerifiableCredential (``vc+jwt``,
ES256); ``POST /credentials/verify`` judges by ``verification.open_conforming`` against a trust list that holds this issuer.
Presentations of the W3C's form are no part of the program (holders show SD-JWT): each is answered 501, and that is no pass.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from chengshu.contexts.certificates import credentials, data_model, json_ld, trust, verification
from chengshu.kernel.problems import Problem

ISSUER = "https://issuer.example/issuers/suite"
# The suite's second context defines no term: it gives every word a meaning in a vocabulary of examples.
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CONTEXTS = {
    **json_ld.KNOWN,
    EXAMPLES: json_ld.Terms(vocabulary="https://www.w3.org/ns/credentials/examples#"),
}
Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Party:
    """An issuer with its key, and a verifier that trusts it."""

    key: ECKey
    believed: trust.TrustList

    @classmethod
    def new(cls, now: dt.datetime) -> Party:
        """Return a new issuer and who believes it."""
        key = ECKey.generate_key("P-256", {"kid": "suite-1"})
        jwk = key.as_dict(private=False)
        since, until = now - dt.timedelta(days=1), now + dt.timedelta(days=1)
        trusted = trust.TrustedKey("suite-1", "credential", "suite", jwk, "", since, until, None, None)
        name = {"zh": "测试签发者", "en": "Issuer under test"}
        believed = trust.TrustList(name, now, {"suite": name}, {"suite": ISSUER}, {"suite-1": trusted}, {})
        return cls(key, believed)

    def issue(self, said: Any) -> Answer:
        """Sign a credential in this issuer's name alone."""
        body = said["credential"]
        text = credentials.secure(body, self.key, dt.datetime.now(dt.UTC), CONTEXTS)
        issuer = body["issuer"]
        if (issuer["id"] if isinstance(issuer, dict) else issuer) != ISSUER:
            return 400, {"errors": ["another's name"]}
        return 201, {"verifiableCredential": data_model.envelope(text)}

    def verify(self, said: Any) -> Answer:
        """Verify an enveloped credential: envelope, signature, issuer, data model."""
        text = data_model.envelope_text(said["verifiableCredential"], CONTEXTS)
        document = verification.open_conforming(text, self.believed, dt.datetime.now(dt.UTC), CONTEXTS)
        return 200, {"verified": True, "document": document, "problemDetails": []}

    def answer(self, path: str, said: Any) -> Answer:
        """Answer a call."""
        calls = {"/credentials/issue": self.issue, "/credentials/verify": self.verify}
        if path not in calls:
            return 501, {"errors": ["presentations of this form are not read"]}
        try:
            return calls[path](said)
        except Problem as problem:
            return problem.status, problem.to_dict()
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"verified": False, "problemDetails": [{"title": str(error)}]}


@dataclass(frozen=True, slots=True)
class Stub:
    """What knows nothing: it says yes, or no, to everything. What passes against it proves nothing."""

    yes: bool

    def answer(self, path: str, said: Any) -> Answer:
        """Answer a call."""
        if not self.yes:
            return 400, {"errors": ["no"]}
        return (
            (201, {"verifiableCredential": said["credential"]})
            if "issue" in path
            else (200, {"verified": True})
        )


def serve(party: Party | Stub, folder: Path) -> ThreadingHTTPServer:
    """Serve on a free port of this machine over TLS, which the suite's client asks for; stop it by ``shutdown``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, found = party.answer(self.path, said)
            content = json.dumps(found, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate of its own for this machine, good for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "localhost.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
