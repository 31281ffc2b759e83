"""A window's device: its keys, what it was given, what it has read; one file, no network, no database. Pure but for the file."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chengshu.contexts.hall.citizen_code import codec
from chengshu.kernel.problems import Problem, Where

# How long a device remembers what it has read, to refuse it the second time.
REMEMBERED = codec.LIFE + 2 * codec.SKEW + dt.timedelta(minutes=10)
ENCRYPTION = {"alg": "ECDH-ES", "enc": "A256GCM"}


@dataclass(slots=True)
class Device:
    """A device as its file keeps it. ``log``: uses that the district does not know yet."""

    code: str
    exchange: dict[str, str]
    signing: dict[str, str]
    bundle: dict[str, Any] = field(default_factory=dict)
    log: list[dict[str, str]] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    def request(self, name: str) -> dict[str, str]:
        """Return what an operator enrols this device by: no secret in it."""
        return {"code": self.code, "name": name, "exchange": self.exchange["x"], "signing": self.signing["x"]}


def new_device(code: str) -> Device:
    """Return a device with new keys; the private ones never leave its file."""
    exchange, signing = OKPKey.generate_key("X25519"), OKPKey.generate_key("Ed25519")
    return Device(code, _plain(exchange), _plain(signing))


def _plain(key: OKPKey) -> dict[str, str]:
    return {
        name: str(value)
        for name, value in key.as_dict(private=True).items()
        if name in ("kty", "crv", "x", "d")
    }


def load(path: Path) -> Device:
    """Read a device's file; raises ``Problem`` when it is none, or others may read it."""
    try:
        mode, said = path.stat().st_mode, json.loads(path.read_text(encoding="utf-8"))
        device = Device(**said)
    except (OSError, ValueError, TypeError) as error:
        raise Problem(
            "device-file",
            "This is no device file",
            where=Where(file=str(path)),
            detail=str(error)[:200],
            remedy="make one: chengshu code device FILE --code CODE",
        ) from error
    if os.name == "posix" and mode & 0o077:
        raise Problem(
            "device-open", "Others may read the device file", where=Where(file=str(path)), remedy="chmod 600"
        )
    return device


def save(device: Device, path: Path) -> None:
    """Write a device's file whole, readable by its owner only."""
    said = {name: getattr(device, name) for name in ("code", "exchange", "signing", "bundle", "log", "seen")}
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(said, out, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def take_bundle(device: Device, text: str) -> None:
    """Take in what the district sent: keys of epochs, its signers; raises ``Problem`` unless it is for this device."""
    try:
        opened = jwe.decrypt_compact(
            text.strip(), OKPKey.import_key(dict(device.exchange)), algorithms=list(ENCRYPTION.values())
        )
        said = json.loads(opened.plaintext or b"")
        if said["device"] != device.code:
            raise ValueError("for another device")
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            "device-bundle", "This bundle is not for this device", detail=str(error)[:200]
        ) from error
    if device.bundle and said["made_at"] < device.bundle["made_at"]:
        raise Problem("device-bundle-older", "This bundle is older than the one at hand")
    device.bundle = said


def verify(device: Device, text: str, now: dt.datetime) -> codec.Said:
    """Return who shows a code, and note its use; raises ``CodeRefusal``. No network is needed."""
    bundle = device.bundle
    if not bundle or now > dt.datetime.fromisoformat(bundle["good_until"]):
        raise codec.CodeRefusal("device-over")
    groups = [X25519PrivateKey.from_private_bytes(_raw(each["private"])) for each in bundle["epochs"]]
    said = codec.open_code(text, groups, [codec.signer_of(each) for each in bundle["signers"]])
    codec.check_time(said.at, now)
    if said.number in device.seen:
        raise codec.CodeRefusal("seen")
    horizon = (now - REMEMBERED).isoformat()
    device.seen = {number: at for number, at in device.seen.items() if at > horizon} | {
        said.number: now.isoformat()
    }
    device.log.append({"number": said.number, "subject_id": said.subject_id, "at": now.isoformat()})
    return said


def told(device: Device, now: dt.datetime) -> str:
    """Return what the device tells at a sync: its uses, signed by itself."""
    body = {"device": device.code, "iat": int(now.timestamp()), "log": device.log}
    key = OKPKey.import_key(dict(device.signing))
    header = {"alg": "Ed25519", "typ": "code-log+jwt", "kid": device.code}
    return str(jws.serialize_compact(header, json.dumps(body).encode(), key, algorithms=["Ed25519"]))


def forget(device: Device, taken: Mapping[str, Any]) -> None:
    """Drop from the log what the district has taken in."""
    numbers = set(taken.get("numbers", []))
    device.log = [each for each in device.log if each["number"] not in numbers]


def _raw(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
