"""What a leaf, a receipt and a verifier's finding are; no Django here.

A leaf's text holds what the ledger says of an act, and is all that is hashed:

    chengshu-leaf/1
    <id>
    <kind>
    <reference>
    <time, milliseconds since 1970 in UTC>
    <salted digest of the payload, hexadecimal>

The salt stays with the depositor, beside the payload. Erasing both leaves a log that still verifies and from
which nobody can guess the payload back.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem
from chengshu.kernel.signed_note import (
    Checkpoint,
    Note,
    Verifier,
    parse_checkpoint,
    parse_note,
    parse_verifier,
)

HEADER = "chengshu-leaf/1"
KEY_KIND = "ledger.key"
MAX_KIND, MAX_REFERENCE = 60, 200
MAX_MANY = 65_536
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Leaf(NamedTuple):
    """What a depositor gets back: keep ``salt`` beside the payload, ``id`` wherever the act is shown."""

    id: int
    digest: str
    salt: str


class Deposit(NamedTuple):
    """One act to be deposited. ``payload`` is a mapping, or its canonical JSON where that is at hand."""

    kind: str
    reference: str
    payload: Mapping[str, Any] | bytes


class Row(NamedTuple):
    """One row of the ledger as the database holds it."""

    id: int
    kind: str
    reference: str
    at: int
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger for readers; ``position`` is ``None`` until the sequencer has numbered it."""

    id: int
    position: int | None
    kind: str
    reference: str
    at: dt.datetime
    digest: str

    @property
    def text(self) -> str:
        """Return the text that is hashed into the tree."""
        return leaf_text(Row(self.id, self.kind, self.reference, to_milliseconds(self.at), self.digest))


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry stands in the log: its leaf, a signed checkpoint, and the path between them."""

    leaf_id: int
    position: int
    leaf: str
    checkpoint: str
    proof: tuple[str, ...]
    suite: str

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as JSON-ready values."""
        return asdict(self)

    def as_text(self) -> str:
        """Return the receipt as a C2SP ``tlog-proof`` file."""
        hashes = "".join(base64.b64encode(bytes.fromhex(node)).decode() + "\n" for node in self.proof)
        extra = base64.b64encode(self.leaf.encode()).decode()
        return f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex {self.position}\n{hashes}\n{self.checkpoint}"

    def verify(self, verifiers: Sequence[Verifier]) -> list[str]:
        """Return who signed the checkpoint; raises ``Problem`` unless the leaf is under it and one key is
        known.
        """
        note = parse_note(self.checkpoint)
        head = parse_checkpoint(note.text)
        suite = merkle.SUITES[self.suite]
        leaf = merkle.leaf_hash(self.leaf.encode(), suite)
        path = [bytes.fromhex(node) for node in self.proof]
        if not merkle.verify_inclusion(leaf, self.position, head.size, path, head.root, suite):
            raise Problem("receipt-broken", "The leaf is not under this checkpoint", status=422)
        names = [verifier.name for verifier, _ in note.signed_by(verifiers)]
        if not names:
            raise Problem("receipt-unsigned", "No known key has signed this checkpoint", status=422)
        return names


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a ledger, with the row it concerns."""

    code: str
    text: str
    position: int | None = None
    leaf_id: int | None = None
    kind: str | None = None
    reference: str | None = None


@dataclass(slots=True)
class Report:
    """What a verification found. ``trust`` says what it rests on; no findings means the ledger holds."""

    size: int
    root: str
    findings: list[Finding] = field(default_factory=list)
    trust: list[str] = field(default_factory=list)
    unpositioned: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            "ok": self.ok,
            **asdict(self),
            "leaves_per_second": round(self.size / max(self.seconds, 1e-9)),
        }


@dataclass(frozen=True, slots=True)
class LogKey:
    """A verifier key of the log and the size from which it signs (checkpoints larger than ``since``)."""

    since: int
    verifier: Verifier


def leaf_text(row: Row) -> str:
    """Return the text of a row's leaf."""
    return f"{HEADER}\n{row.id}\n{row.kind}\n{row.reference}\n{row.at}\n{row.digest}"


def parse_leaf(text: str) -> Row:
    """Read a leaf's text; raises ``Problem`` when it is none."""
    lines = text.split("\n")
    if len(lines) != 6 or lines[0] != HEADER or not lines[1].isdigit() or not lines[4].isdigit():
        raise Problem("leaf-form", "This is no leaf of a ledger", detail=text[:80])
    return Row(int(lines[1]), lines[2], lines[3], int(lines[4]), lines[5])


def check_names(kind: str, reference: str) -> None:
    """Refuse a kind or reference that is empty, too long or holds a control character."""
    for name, value, most in (("kind", kind, MAX_KIND), ("reference", reference, MAX_REFERENCE)):
        if not value or len(value) > most or not value.isprintable():
            raise Problem(
                "leaf-name",
                f"A leaf's {name} has 1 to {most} printable characters",
                detail=repr(value[:80]),
            )


def to_milliseconds(at: dt.datetime) -> int:
    """Return ``at`` as milliseconds since 1970 in UTC."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone is no time of a leaf")
    return (at - EPOCH) // dt.timedelta(milliseconds=1)


def from_milliseconds(at: int) -> dt.datetime:
    """Return the instant of ``to_milliseconds``."""
    return EPOCH + dt.timedelta(milliseconds=at)


def parse_keys(text: str) -> list[LogKey]:
    """Read the log's keys: lines ``<since> <verifier key>``, oldest first."""
    keys = []
    for line in text.splitlines():
        since, _, verifier = line.partition(" ")
        if not since.isdigit():
            raise Problem("ledger-keys", "A line of the key file is: size, verifier key", detail=line[:80])
        keys.append(LogKey(int(since), parse_verifier(verifier)))
    return keys


def write_keys(keys: Sequence[LogKey]) -> str:
    """Return the text that ``parse_keys`` reads."""
    return "".join(f"{key.since} {key.verifier}\n" for key in keys)


def key_for(keys: Sequence[LogKey], size: int) -> LogKey:
    """Return the key that signs checkpoints of ``size``."""
    chosen = keys[0]
    for key in keys[1:]:
        if size > key.since:
            chosen = key
    return chosen


def open_checkpoint(data: str) -> tuple[Note, Checkpoint]:
    """Return a signed checkpoint's note and head."""
    note = parse_note(data)
    return note, parse_checkpoint(note.text)
