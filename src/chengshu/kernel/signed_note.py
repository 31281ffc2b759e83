"""Signed notes, checkpoints and cosignatures as C2SP writes them (signed-note, tlog-checkpoint,
tlog-cosignature).

A note is text, an empty line, and signature lines ``— name base64(key id ‖ signature)``. Keys are Ed25519:
type 1 signs the note itself, type 4 is a witness's ``cosignature/v1`` with its time. A verifier key is one
line, ``name+keyid+base64(type ‖ public key)``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chengshu.kernel.problems import Problem

ED25519, COSIGNATURE = 1, 4
_NAME = re.compile(r"^[^\s+]+$")
_LINE = re.compile(r"^— (\S+) (\S+)$")
MAX_NOTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name; ``kind`` is ``ED25519`` or ``COSIGNATURE``."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes by which a signature line names this key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def time_of(self, text: str, signature: bytes) -> int | None:
        """Return the signature's time (0 for a plain signature) when it is good, else ``None``."""
        message, stamp, raw = text.encode(), 0, signature
        if self.kind == COSIGNATURE:
            if len(signature) != 72:
                return None
            stamp, raw = int.from_bytes(signature[:8], "big"), signature[8:]
            message = _cosigned(text, stamp)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(raw, message)
        except InvalidSignature:
            return None
        return stamp


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name; ``secret`` is the 32-byte seed."""

    name: str
    kind: int
    secret: bytes

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"

    @property
    def verifier(self) -> Verifier:
        """Return the public side of this key."""
        public = Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()
        return Verifier(self.name, self.kind, public)

    def sign(self, text: str, time: int = 0) -> str:
        """Return the signature line for ``text``; a cosignature carries ``time`` (POSIX seconds)."""
        key = Ed25519PrivateKey.from_private_bytes(self.secret)
        plain = self.kind != COSIGNATURE
        stamp = b"" if plain else time.to_bytes(8, "big")
        raw = stamp + key.sign(text.encode() if plain else _cosigned(text, time))
        return f"— {self.name} {base64.b64encode(self.verifier.key_id + raw).decode()}\n"

    def export(self) -> str:
        """Return the one-line private form; keep it in a file that only its owner reads."""
        encoded = base64.b64encode(bytes([self.kind]) + self.secret).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class Note:
    """A note's text (with its last newline) and its signatures as (name, key id, signature)."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def __str__(self) -> str:
        lines = (f"— {name} {base64.b64encode(key + raw).decode()}\n" for name, key, raw in self.signatures)
        return self.text + "\n" + "".join(lines)

    def signed_by(self, verifiers: Iterable[Verifier]) -> list[tuple[Verifier, int]]:
        """Return the verifiers with a good signature here and its time; a bad one by a known key raises."""
        good = []
        for verifier in verifiers:
            for name, key, raw in self.signatures:
                if (name, key) != (verifier.name, verifier.key_id):
                    continue
                time = verifier.time_of(self.text, raw)
                if time is None:
                    raise Problem(
                        "note-signature", f"The signature of {name} on this note is wrong", status=422
                    )
                good.append((verifier, time))
                break
        return good

    def with_signature(self, line: str) -> Note:
        """Return the note with one more signature line."""
        return Note(self.text, (*self.signatures, _signature(line.rstrip("\n"))))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def make_signer(name: str, secret: bytes, kind: int = ED25519) -> Signer:
    """Return a signer over a 32-byte seed."""
    if not _NAME.match(name):
        raise ValueError("a key's name has no spaces and no plus sign")
    if len(secret) != 32:
        raise ValueError("an Ed25519 seed has 32 bytes")
    return Signer(name, kind, secret)


def parse_signer(text: str) -> Signer:
    """Read the private form that ``Signer.export`` writes."""
    parts = text.strip().split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise Problem("note-key", "This is no private key of a signed note")
    raw = _decode(parts[4])
    if len(raw) != 33:
        raise Problem("note-key", "This is no Ed25519 key")
    return make_signer(parts[2], raw[1:], raw[0])


def parse_verifier(text: str) -> Verifier:
    """Read a verifier key (``name+keyid+base64``)."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise Problem("note-key", "A verifier key is name+keyid+base64")
    raw = _decode(parts[2])
    if len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
        raise Problem("note-key", "Only Ed25519 keys are known")
    verifier = Verifier(parts[0], raw[0], raw[1:])
    if verifier.key_id.hex() != parts[1]:
        raise Problem("note-key", f"The key id of {parts[0]} does not fit its key")
    return verifier


def sign_note(text: str, signers: Iterable[Signer], time: int = 0) -> Note:
    """Return ``text``, which ends in a newline, signed by each signer."""
    if not text.endswith("\n"):
        raise ValueError("a note's text ends with a newline")
    note = Note(text, ())
    for signer in signers:
        note = note.with_signature(signer.sign(text, time))
    return note


def parse_note(data: str) -> Note:
    """Read a signed note; raises ``Problem`` when its form is wrong. It checks no signature: ``signed_by``
    does.
    """
    text, gap, tail = data.rpartition("\n\n")
    if not gap or not tail.endswith("\n") or len(data) > MAX_NOTE:
        raise Problem("note-form", "This is no signed note", remedy="give the whole checkpoint file")
    return Note(text + "\n", tuple(_signature(line) for line in tail[:-1].split("\n")))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint: origin, size, root; extension lines are passed over."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not re.fullmatch(r"0|[1-9]\d{0,18}", lines[1]):
        raise Problem(
            "checkpoint-form", "This is no checkpoint", remedy="it has an origin, a size and a root"
        )
    root = _decode(lines[2])
    if len(root) != 32:
        raise Problem("checkpoint-form", "The root of a checkpoint has 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _LINE.match(line)
    raw = _decode(match[2]) if match else b""
    if match is None or len(raw) < 5:
        raise Problem("note-form", "A signature line is — name base64", detail=line[:80])
    return match[1], raw[:4], raw[4:]


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("note-base64", "This is not base64", detail=text[:40]) from error
