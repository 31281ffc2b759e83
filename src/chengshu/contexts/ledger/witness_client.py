"""Asks the witnesses of this log to cosign its newest checkpoint, over HTTP."""

from __future__ import annotations

import base64
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from chengshu.contexts.ledger import keys, sequencer, store
from chengshu.contexts.ledger.domain import open_checkpoint
from chengshu.contexts.ledger.models import CheckpointRow, KeyRow, Log
from chengshu.contexts.ledger.tiles import TileStore, write_file
from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem
from chengshu.kernel.signed_note import Checkpoint, Note, Verifier, parse_verifier

log_line = structlog.get_logger("chengshu.ledger")
TIMEOUT = 3.0
HASHES_AT_ONCE = 250_000
# A witness that fails is left alone so long, lest it slow every checkpoint down.
REST = 5.0
RETIRED = "-"
_rest_until: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Known:
    """A witness that this log asks: its key, pinned at first contact, and its address."""

    verifier: Verifier
    url: str


def witnesses() -> list[Known]:
    """Return the pinned witnesses, those that are asked no more included."""
    path = keys.key_folder() / "witnesses.txt"
    known = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            verifier, _, url = line.partition(" ")
            known.append(Known(parse_verifier(verifier), url))
    return known


def _pin_named() -> None:
    """Pin the witness that ``CHENGSHU_WITNESS`` names, at first contact."""
    named = os.environ.get("CHENGSHU_WITNESS", "").rstrip("/")
    if named and all(witness.url != named for witness in witnesses()):
        try:
            add_witness(named)
        except (OSError, Problem) as error:
            log_line.warning("witness", url=named, error=str(error))


def add_witness(url: str, verifier: str | None = None) -> Known:
    """Pin the witness at ``url``; without ``verifier`` its key is taken from there, at this first contact."""
    address = url.rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise Problem("witness-address", "A witness has an http or https address", detail=url)
    text = verifier
    if text is None:
        status, text = _call(f"{address}/key", None)
        if status != 200:
            raise Problem("witness-silent", "The witness did not give its key", detail=f"{address}: {status}")
    known = Known(parse_verifier(text), address)
    path = keys.key_folder() / "witnesses.txt"
    held = [each for each in witnesses() if each.verifier != known.verifier] if path.exists() else []
    # A key that this address no longer has is asked no more, but its old cosignatures still verify.
    lines = [f"{each.verifier} {RETIRED if each.url == address else each.url}\n" for each in held]
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_file(path, ("".join(lines) + f"{known.verifier} {known.url}\n").encode(), durable=True)
    return known


def cosign() -> list[str]:
    """Have the newest checkpoint cosigned by every witness; returns the names of those that did.

    A witness that cannot be reached is written to the log and asked again next time; one that refuses as
    well, for its refusal means that this log has shown it another history.
    """
    row = CheckpointRow.objects.exclude(note="").order_by("-size").first()
    if row is None:
        return []
    _pin_named()
    note, head = open_checkpoint(row.note)
    asked = [witness for witness in witnesses() if witness.url != RETIRED]
    missing = [witness for witness in asked if witness.verifier.name not in row.cosigned_by.split("\n")]
    names = row.cosigned_by.split()
    before = len(names)
    for witness in missing:
        if time.monotonic() < _rest_until.get(witness.url, 0.0):
            continue
        try:
            note = note.with_signature(_ask(witness, note, head))
            if not note.signed_by([witness.verifier]):
                raise Problem(
                    "witness-other-key",
                    "The witness signs with another key than the one pinned",
                    remedy="ask its operator, then chengshu ledger add-witness",
                )
        except (OSError, Problem) as error:
            _rest_until[witness.url] = time.monotonic() + REST
            log_line.warning("witness", url=witness.url, size=head.size, error=str(error))
            continue
        names.append(witness.verifier.name)
    if len(names) > before:
        sequencer.add_cosignatures(head.size, str(note), names)
    return names


def _ask(witness: Known, note: Note, head: Checkpoint) -> str:
    tiles = sequencer.tile_store(Log.objects.get(pk=1))
    _send_hashes(witness, tiles, head.size)
    name = witness.verifier.name
    cosigned = CheckpointRow.objects.filter(cosigned_by__contains=name).order_by("-size").first()
    status, text, old = _add(witness, tiles, note, head, cosigned.size if cosigned else 0)
    if status == 403 and KeyRow.objects.count() > 1:
        _announce_keys(witness, tiles, old)
        status, text, old = _add(witness, tiles, note, head, old)
    if status != 200:
        raise Problem(
            "witness-refused", "The witness does not cosign", detail=f"{status}: {text.strip()[:200]}"
        )
    return text


def _add(witness: Known, tiles: TileStore, note: Note, head: Checkpoint, old: int) -> tuple[int, str, int]:
    """Offer a checkpoint; where the witness names another last size, once more from that one."""
    status, text = 0, ""
    for _ in range(2):
        proof = merkle.consistency_proof(old, head.size, tiles.read_node, tiles.suite)
        lines = "".join(f"{line}\n" for line in _encode(proof))
        status, text = _call(f"{witness.url}/add-checkpoint", f"old {old}\n{lines}\n{note}".encode())
        held = text.strip()
        if status != 409 or not held.isdigit() or not 0 <= int(held) <= head.size:
            break
        old = int(held)
    return status, text, old


def _send_hashes(witness: Known, tiles: TileStore, size: int) -> None:
    status, text = _call(f"{witness.url}/mirror", None)
    if status != 200 or not text.strip().isdigit():
        return  # a witness by the bare protocol keeps no hashes
    held = int(text)
    while held < size:
        stop = min(held + HASHES_AT_ONCE, size)
        status, text = _call(f"{witness.url}/add-hashes/{held}", tiles.hashes(held, stop))
        if status != 200:
            raise Problem(
                "witness-refused", "The witness does not take the hashes", detail=f"{status}: {text[:200]}"
            )
        held = stop


def _announce_keys(witness: Known, tiles: TileStore, old: int) -> None:
    """Show the witness each key change: the last checkpoint of the old key, then the entry that names the
    new.
    """
    for key in KeyRow.objects.filter(since__gt=0).order_by("since"):
        row = CheckpointRow.objects.filter(size=key.since).first()
        leaf = store.entry(key.announced_in) if key.announced_in else None
        if row is None or leaf is None or leaf.position is None:
            continue
        if old < row.size:
            note, head = open_checkpoint(row.note)
            status, text, _ = _add(witness, tiles, note, head, old)
            if status != 200:
                raise Problem(
                    "witness-refused", "The witness does not cosign", detail=f"{status}: {text[:200]}"
                )
            old = row.size
        path = merkle.inclusion_proof(leaf.position, old, tiles.read_node, tiles.suite)
        lines = [*_encode([leaf.text.encode()]), str(leaf.position), *_encode(path)]
        _call(f"{witness.url}/rotate", "\n".join(lines).encode())


def _encode(values: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(value).decode() for value in values]


def _call(url: str, body: bytes | None) -> tuple[int, str]:
    request = urllib.request.Request(url, data=body, method="POST" if body is not None else "GET")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return response.status, response.read(1_000_000).decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(10_000).decode(errors="replace")
