# Everything runs from here. `make demo` needs git, make and python3.11 with venv; nothing else.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --no-input
# Compiled modules are kept, whatever the surroundings say: half the time of every start is compiling them.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup setup-dev setup-bench browser demo serve test test-full check bench lock format clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.runtime ## Make .venv with the program in it

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.lock requirements/build.lock pyproject.toml package-lock.json hatch_build.py | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/build.lock
	$(PIP) install --quiet --require-hashes -r requirements/runtime.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup-dev: $(VENV)/.dev
$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	$(PIP) install --quiet --require-hashes -r requirements/dev.lock
	@touch $@

setup-bench: $(VENV)/.bench
$(VENV)/.bench: requirements/bench.lock $(VENV)/.dev
	$(PIP) install --quiet --require-hashes -r requirements/bench.lock
	@touch $@

browser: ## Install Debian's Chromium and a CJK font, or say how
	@bash .ci/debian-packages

demo: setup ## Build the demo district and serve it
	$(BIN)/chengshu demo

serve: setup ## Serve the district in var/
	$(BIN)/chengshu serve

check: setup-dev ## Lint, types, layers, packs, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/chengshu pack check packs/cn

test: setup-dev browser check ## Everything that must hold before a commit lands (under 20 minutes on 2 cores; the goal is 15)
	$(BIN)/pytest -n 2 --dist worksteal -m "not full"

test-full: setup-dev browser check ## The long tests as well: kill -9 loops, twenty daily builds, 1 GB files
	$(BIN)/pytest -n 2 --dist worksteal

bench: setup-bench ## Run the benchmarks beside their peers
	$(BIN)/chengshu bench

format: setup-dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup-dev ## Pin every dependency anew, with hashes and without addresses
	bash requirements/lock.sh

clean: ## Remove what was built (var/ stays)
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache src/chengshu/site/static/vendor src/chengshu/contexts/certificates/fonts
