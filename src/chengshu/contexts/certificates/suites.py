"""Two suites of signatures: ES256 (P-256, SHA-256) and SM2 with SM3. Pure: keys and bytes in, compact JWS out.

JOSE registers no name for SM2: ``alg`` is ``SGD_SM3_SM2``, the identifier of GM/T 0006, and ``crv`` is ``SM2``, both for use
among those who know them. A signature is r and s of 32 bytes each, over the same signing input as any JWS, with the
identity ``1234567812345678`` of GM/T 0009; `openssl pkeyutl -rawin -digest sm3 -pkeyopt distid:…` verifies it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from gmalg import SM2
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, thumbprint

ES256, SM2_SM3 = "ES256", "SGD_SM3_SM2"
IDENTITY = b"1234567812345678"
# PKCS #8 and SubjectPublicKeyInfo of an SM2 key: all but the numbers themselves is the same for every key.
_PRIVATE = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_MIDDLE = bytes.fromhex("a144034200")
_PUBLIC = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
SIDE = 32


@dataclass(frozen=True, slots=True)
class Sm2Key:
    """An SM2 key pair: ``private`` 32 bytes, ``public`` the uncompressed point of 65."""

    kid: str
    private: bytes
    public: bytes

    def as_dict(self, private: bool = False) -> dict[str, Any]:
        """Return the public side as a JWK; the private side never leaves as one."""
        if private:
            raise ValueError("an SM2 private key is kept as PEM only")
        return {"kty": "EC", "crv": "SM2", "x": b64(self.public[1:33]), "y": b64(self.public[33:])}

    def with_kid(self, kid: str) -> Sm2Key:
        """Return the same key under a name."""
        return Sm2Key(kid, self.private, self.public)


Key = ECKey | Sm2Key


def new_sm2_key() -> Sm2Key:
    """Return a new SM2 key; its name is the thumbprint of its JWK."""
    private, public = SM2().generate_keypair()
    # The library leaves leading zeros out.
    made = Sm2Key("", private.rjust(SIDE, bytes(1)), public)
    return made.with_kid(thumbprint_of(made.as_dict()))


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint of a public key of either suite."""
    return str(thumbprint({name: jwk[name] for name in ("crv", "kty", "x", "y")}))


def sm2_to_pem(key: Sm2Key) -> bytes:
    """Return a private SM2 key as PKCS #8, as openssl reads and writes it."""
    return _pem("PRIVATE KEY", _PRIVATE + key.private + _MIDDLE + key.public)


def sm2_from_pem(pem: bytes, kid: str) -> Sm2Key:
    """Read a private SM2 key; raises ``ValueError`` when it is none, or its halves do not belong together."""
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"-----"))
    try:
        der = base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("not a PEM file") from error
    place = len(_PRIVATE)
    private, middle, public = der[place : place + SIDE], der[place + SIDE : -65], der[-65:]
    if not der.startswith(_PRIVATE) or middle != _MIDDLE or SM2().generate_pk(private) != public:
        raise ValueError("not an SM2 key")
    return Sm2Key(kid, private, public)


def public_pem(jwk: Mapping[str, Any]) -> bytes:
    """Return a public SM2 key as openssl reads it."""
    return _pem("PUBLIC KEY", _PUBLIC + _point(jwk))


def compact(header: Mapping[str, Any], payload: bytes, key: Key) -> str:
    """Return a compact JWS; ``alg`` and ``kid`` come from the key, never from the caller."""
    if isinstance(key, ECKey):
        said = {"alg": ES256, "kid": key.kid, **header}
        return str(jws.serialize_compact(said, payload, key, algorithms=[ES256]))
    head = json.dumps({"alg": SM2_SM3, "kid": key.kid, **header}, separators=(",", ":")).encode()
    signing_input = f"{b64(head)}.{b64(payload)}"
    r, s = SM2(key.private, IDENTITY, key.public).sign(signing_input.encode())
    return f"{signing_input}.{b64(r.rjust(SIDE, bytes(1)) + s.rjust(SIDE, bytes(1)))}"


def open_compact(text: str, jwk: Mapping[str, Any]) -> bytes:
    """Return the payload of a compact JWS; raises ``ValueError`` unless ``jwk`` has signed it by its own suite."""
    if jwk.get("crv") != "SM2":
        try:
            found = jws.deserialize_compact(text, ECKey.import_key(dict(jwk)), algorithms=[ES256])
        except (JoseError, ValueError, TypeError) as error:
            raise ValueError(str(error)) from error
        return bytes(found.payload)
    head, body, signature = text.split(".")
    if json.loads(unb64(head)).get("alg") != SM2_SM3:
        raise ValueError("the key is for SM2")
    both = unb64(signature)
    if len(both) != 2 * SIDE or not _sm2_holds(f"{head}.{body}".encode(), both, jwk):
        raise ValueError("bad signature")
    return unb64(body)


def _sm2_holds(signed: bytes, both: bytes, jwk: Mapping[str, Any]) -> bool:
    checker = SM2(uid=IDENTITY, pk=_point(jwk))
    return bool(checker.verify(signed, both[:SIDE], both[SIDE:]))


def _sm3(content: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(content)
    return digest.finalize()


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


# Digests of disclosures by the name that stands in ``_sd_alg``; "sm3" is not registered either.
HASHES: Mapping[str, Callable[[bytes], bytes]] = {"sha-256": _sha256, "sm3": _sm3}


def hash_name(key: Key) -> str:
    """Return the digest that goes with a key's suite."""
    return "sha-256" if isinstance(key, ECKey) else "sm3"


def b64(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """Read base64url without padding; raises ``ValueError`` on any other character."""
    if any(each in text for each in "+/=\n\r\t "):
        raise ValueError("not base64url")
    try:
        return base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _point(jwk: Mapping[str, Any]) -> bytes:
    x, y = unb64(str(jwk["x"])), unb64(str(jwk["y"]))
    if len(x) != SIDE or len(y) != SIDE:
        raise ValueError("not an SM2 point")
    return b"\x04" + x + y


def _pem(label: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[place : place + 64] for place in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()
