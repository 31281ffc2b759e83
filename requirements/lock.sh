#!/usr/bin/env bash
# Pins every dependency with its hashes; no registry's address is written.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
compile() { "$uv" pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"; }
compile pyproject.toml -o requirements/runtime.lock
compile pyproject.toml --extra dev -o requirements/dev.lock
compile pyproject.toml --extra dev --extra bench -o requirements/bench.lock
printf 'hatchling\neditables\nnodejs-wheel-binaries\n' | compile - -c requirements/dev.lock -o requirements/build.lock
