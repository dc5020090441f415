# Everything a newcomer needs, on a machine with Python 3.11+ (with venv) and make. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check format specs bench test-containers requirements clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build the environment in .venv from the pinned, hashed requirements

$(READY): requirements/uv.txt requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## tell the whole story once: alert, SMS, bulletin, mail, proof
	$(BIN)/buurtbode demo

up: $(READY) ## run the whole stack here and keep it running; DATA=folder (default ./data)
	$(BIN)/buurtbode up --data $(or $(DATA),./data) --with-demo-data

test: $(READY) ## run all tests, on a real broker, a real database and the real stack
	$(BIN)/pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

check: $(READY) ## format, lint, types, layers and the fast tests: run it before each commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check
	$(BIN)/pytest -q tests/unit tests/contract

format: $(READY) ## put the code into its format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

specs: $(READY) ## write the AsyncAPI and OpenAPI documents in docs/ from the code
	$(BIN)/python -m docs.generate

bench: $(READY) .venv-bench/.ready ## measure, each figure as a ratio within one interleaved run (needs redis-server)
	$(BIN)/python -m benchmarks

.venv-bench/.ready: requirements/bench.txt
	$(PYTHON) -m venv .venv-bench
	$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python --require-hashes requirements/bench.txt
	@touch $@

test-containers: $(READY) ## run the integration tests on containers, where a Docker engine answers
	@$(BIN)/python -m tests.support.engine \
		&& BUURTBODE_TEST_CONTAINERS=1 $(BIN)/pytest tests/integration

requirements: $(READY) ## compile requirements/*.txt again from pyproject.toml
	./requirements/compile $(BIN)/uv

clean: ## remove the environment and all caches
	rm -rf $(VENV) .venv-bench .pytest_cache .ruff_cache .hypothesis .import_linter_cache
