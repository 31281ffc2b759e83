"""A cosigning witness: a process with a key of its own that remembers one log's head and never goes back.

It speaks C2SP tlog-witness (``POST /add-checkpoint``): the log shows its new checkpoint and a proof that it
continues the one the witness signed last; only then the witness signs. So a log whose key was stolen cannot
show two histories.

Beyond the protocol it keeps the hash of every leaf (``POST /add-hashes/<start>``): 32 bytes a leaf, no
content. With them a verifier names the very row that was changed. And it follows a key change that the log
itself announces (``POST /rotate``). Needs neither Django nor a database; run it on another machine than the
log.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from chengshu.contexts.ledger.domain import KEY_KIND, open_checkpoint, parse_keys, parse_leaf
from chengshu.contexts.ledger.tiles import write_file
from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem
from chengshu.kernel.signed_note import (
    COSIGNATURE,
    Checkpoint,
    Note,
    Signer,
    Verifier,
    make_signer,
    parse_signer,
    parse_verifier,
)

MAX_BODY = 16_000_000
SIZE_TYPE = "text/x.tlog.size"


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """The witness of one log, with its state in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "",
        log_keys: tuple[Verifier, ...] = (),
        log_file: Path | None = None,
        suite: merkle.Suite = merkle.SHA256,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self._lock = folder, Lock()
        self._guard = open(folder / ".lock", "w", encoding="ascii")  # noqa: SIM115 - held as long as the process
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(
                "witness-running", "Another witness runs in this folder", detail=str(folder)
            ) from error
        self.signer = self._open_key(name)
        self._pin(log_keys)
        self._log_file = log_file
        self.suite = suite
        self.mirror = self._read_mirror()

    def close(self) -> None:
        """Let go of the folder."""
        self._guard.close()

    @property
    def log_keys(self) -> list[Verifier]:
        """Return the log's keys that this witness accepts."""
        try:
            lines = (self.folder / "log-keys.txt").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [parse_verifier(line) for line in lines]

    def last(self) -> tuple[Note, Checkpoint] | None:
        """Return the checkpoint that was cosigned last."""
        try:
            return open_checkpoint((self.folder / "checkpoint").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def add_checkpoint(self, body: str, now: int) -> Answer:
        """Answer ``POST /add-checkpoint``: cosign what continues the last head."""
        with self._lock:
            try:
                old, proof, note, head = _parse_add(body)
                return self._consider(old, proof, note, head, now)
            except Problem as problem:
                return Answer(problem.status, f"{problem}\n")

    def add_hashes(self, start: int, data: bytes) -> Answer:
        """Answer ``POST /add-hashes/<start>``: keep leaf hashes; they count once a checkpoint confirms them."""
        with self._lock:
            if start != self.mirror.size:
                return Answer(409, f"{self.mirror.size}\n", SIZE_TYPE)
            if len(data) % 32 or not data:
                return Answer(400, "hashes have 32 bytes each\n")
            with open(self.folder / "hashes.bin", "ab") as file:
                file.write(data)
            self.mirror.extend([data[at : at + 32] for at in range(0, len(data), 32)])
            return Answer(200, f"{self.mirror.size}\n", SIZE_TYPE)

    def rotate(self, body: str) -> Answer:
        """Answer ``POST /rotate``: accept a new log key whose announcement stands under the last cosigned
        head.

        The body is the leaf's text in base64, its index, and the inclusion proof, each on a line.
        """
        with self._lock:
            last = self.last()
            lines = body.split("\n")
            try:
                text = base64.b64decode(lines[0], validate=True)
                index, path = int(lines[1]), [base64.b64decode(line) for line in lines[2:] if line]
                leaf = parse_leaf(text.decode())
                verifier = parse_verifier(leaf.reference)
            except (ValueError, IndexError, Problem) as error:
                return Answer(400, f"{error}\n")
            if last is None or leaf.kind != KEY_KIND:
                return Answer(422, "this is no announcement of a key\n")
            head = last[1]
            hashed = merkle.leaf_hash(text, self.suite)
            if not merkle.verify_inclusion(hashed, index, head.size, path, head.root, self.suite):
                return Answer(422, "the announcement is not under the head that was cosigned last\n")
            self._pin((verifier,))
            return Answer(200, "ok\n")

    def _consider(self, old: int, proof: list[bytes], note: Note, head: Checkpoint, now: int) -> Answer:
        known = self.log_keys or self._first_contact()
        if not known:
            raise Problem("witness-no-log", "No log's key is pinned here", status=403)
        if all(head.origin != verifier.name for verifier in known):
            raise Problem("witness-other-log", "This witness serves another log", status=404)
        if not note.signed_by(known):
            raise Problem("witness-unknown-key", "No key of the log has signed this checkpoint", status=403)
        last = self.last()
        size, root = (last[1].size, last[1].root) if last else (0, self.suite.empty)
        if old != size:
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if not merkle.verify_consistency(size, head.size, root, head.root, proof, self.suite):
            status = 409 if size == head.size else 422
            raise Problem(
                "witness-inconsistent", "This checkpoint does not continue the last one", status=status
            )
        self._confirm_mirror(head, size)
        line = self.signer.sign(note.text, now)
        cosigned = str(note.with_signature(line))
        with open(self.folder / "history.txt", "a", encoding="utf-8") as file:
            file.write(cosigned + "\f\n")
        # The state is on disk before the signature leaves: after a crash nothing older is ever signed.
        write_file(self.folder / "checkpoint", cosigned.encode(), durable=True)
        return Answer(200, line)

    def _first_contact(self) -> list[Verifier]:
        """Pin the key that signs first, from the log's own file; never again afterwards."""
        if self._log_file is not None and self._log_file.exists():
            self._pin((parse_keys(self._log_file.read_text(encoding="utf-8"))[0].verifier,))
        return self.log_keys

    def _confirm_mirror(self, head: Checkpoint, confirmed: int) -> None:
        if self.mirror.size == head.size and self.mirror.root() != head.root:
            os.truncate(self.folder / "hashes.bin", min(confirmed, self.mirror.size) * 32)
            self.mirror = self._read_mirror()

    def _open_key(self, name: str) -> Signer:
        path = self.folder / "witness.key"
        if not path.exists():
            signer = make_signer(
                name or f"witness.local/{secrets.token_hex(4)}", secrets.token_bytes(32), COSIGNATURE
            )
            write_file(path, signer.export().encode() + b"\n", durable=True, mode=0o600)
        signer = parse_signer(path.read_text(encoding="utf-8"))
        write_file(self.folder / "witness.pub", f"{signer.verifier}\n".encode())
        return signer

    def _pin(self, keys: tuple[Verifier, ...]) -> None:
        held = [str(key) for key in self.log_keys]
        new = [str(key) for key in keys if str(key) not in held]
        if new:
            write_file(
                self.folder / "log-keys.txt", "".join(f"{key}\n" for key in held + new).encode(), durable=True
            )

    def _read_mirror(self) -> merkle.Frontier:
        frontier = merkle.Frontier(self.suite)
        path = self.folder / "hashes.bin"
        if path.exists():
            data = path.read_bytes()
            whole = len(data) // 32 * 32
            if whole != len(data):
                os.truncate(path, whole)
            frontier.extend([data[at : at + 32] for at in range(0, whole, 32)])
        return frontier


def serve(witness: Witness, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Return an HTTP server for ``witness``; ``serve_forever`` runs it. Port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        """Answers one request."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer the witness's key, its last checkpoint, or how many hashes it holds."""
            last = witness.last()
            pages = {
                "/key": Answer(200, f"{witness.signer.verifier}\n"),
                "/checkpoint": Answer(200, str(last[0])) if last else Answer(404, "nothing cosigned yet\n"),
                "/mirror": Answer(200, f"{witness.mirror.size}\n", SIZE_TYPE),
            }
            self._answer(pages.get(self.path, Answer(404, "unknown\n")))

        def do_POST(self) -> None:
            """Take a checkpoint, leaf hashes or a key change."""
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= MAX_BODY:
                self.close_connection = True
                self._answer(Answer(413, "the body is empty or too long\n"))
                return
            body = self.rfile.read(length)
            head, _, start = self.path.rpartition("/")
            if head == "/add-hashes" and start.isdigit():
                self._answer(witness.add_hashes(int(start), body))
                return
            try:
                text = body.decode()
            except UnicodeDecodeError:
                self._answer(Answer(400, "this is not UTF-8\n"))
                return
            if self.path == "/add-checkpoint":
                self._answer(witness.add_checkpoint(text, int(time.time())))
            elif self.path == "/rotate":
                self._answer(witness.rotate(text))
            else:
                self._answer(Answer(404, "unknown\n"))

        def _answer(self, answer: Answer) -> None:
            data = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the history file is the record."""

    return ThreadingHTTPServer((host, port), Handler)


def _parse_add(body: str) -> tuple[int, list[bytes], Note, Checkpoint]:
    top, gap, rest = body.partition("\n\n")
    lines = top.split("\n")
    word, _, old = lines[0].partition(" ")
    if not gap or word != "old" or not old.isdigit() or len(lines) > 64:
        raise Problem("witness-form", "The body is: old <size>, proof lines, an empty line, the checkpoint")
    try:
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except ValueError as error:
        raise Problem("witness-form", "A proof line is base64") from error
    note, head = open_checkpoint(rest)
    if int(old) > head.size:
        raise Problem("witness-form", "The old size is larger than the checkpoint's")
    return int(old), proof, note, head
