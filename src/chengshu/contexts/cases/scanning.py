"""The virus-scan hook: a clamd socket or a command, named by ``CHENGSHU_VIRUS_SCAN``; nothing is scanned without one.

``clamd:/run/clamav/clamd.ctl`` or ``clamd:host:3310`` speaks clamd's INSTREAM; anything else is a command that gets the
path of a temporary file and exits 0 for clean, 1 for infected. When the scanner cannot answer, the file is refused: a
file that nobody looked at must not pass for one that was.
"""

from __future__ import annotations

import shlex
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from chengshu.kernel.problems import Problem

SECONDS = 60
CHUNK = 1 << 16
CLEAN, INFECTED = 0, 1


def scanner() -> str:
    """Return what scans here, or nothing."""
    return str(getattr(settings, "VIRUS_SCAN", "") or "").strip()


def scan(content: bytes, name: str, field: str) -> str:
    """Let the scanner look at a file; returns what looked at it, raises when it found something or could not look."""
    configured = scanner()
    if not configured:
        return ""
    try:
        if configured.startswith("clamd:"):
            found, said_by = _by_clamd(content, configured.removeprefix("clamd:")), "clamd"
        else:
            words = shlex.split(configured)
            found, said_by = _by_command(content, words), Path(words[0]).name
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise _refused("scan-failed", _("这个文件现在无法查毒，请稍后再传"), name, field, 503) from error
    if found:
        raise _refused("infected", _("查毒发现这个文件有问题，没有收下"), name, field, 422)
    return said_by[:40]


def _by_command(content: bytes, words: list[str]) -> bool:
    with tempfile.NamedTemporaryFile(prefix="scan-") as file:
        file.write(content)
        file.flush()
        done = subprocess.run([*words, file.name], capture_output=True, timeout=SECONDS, check=False)
    if done.returncode not in (CLEAN, INFECTED):
        raise ValueError(f"the scanner ended with {done.returncode}")
    return done.returncode == INFECTED


def _by_clamd(content: bytes, where: str) -> bool:
    with _connected(where) as link:
        link.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), CHUNK):
            part = content[start : start + CHUNK]
            link.sendall(struct.pack(">I", len(part)) + part)
        link.sendall(struct.pack(">I", 0))
        answer = b""
        while not answer.endswith(b"\0"):
            part = link.recv(4096)
            if not part:
                break
            answer += part
    said = answer.rstrip(b"\0\n").decode(errors="replace")
    if said.endswith("FOUND"):
        return True
    if not said.endswith("OK"):
        raise ValueError(f"clamd said {said[:100]!r}")
    return False


def _connected(where: str) -> socket.socket:
    if where.startswith("/"):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(SECONDS)
        link.connect(where)
        return link
    host, _colon, port = where.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def _refused(code: str, title: str, name: str, field: str, status: int) -> Problem:
    return Problem(
        f"file-{code}", title, detail=name, status=status, errors={field: {"code": code, "text": title}}
    )
