# The one list of commands. A fresh machine (Python 3.11, make) needs two: make demo, make test.

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
DATABASE ?= sqlite:///data/demo.db
PORT   ?= 8050

# Empty when that name is not on the path; then the plain one, whose version is checked below.
FOUND_PYTHON := $(shell command -v $(PYTHON) 2>/dev/null || command -v python3)

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
  --no-header --no-annotate --no-emit-index-url --no-emit-find-links

# Two test processes on two cores: threads of linear algebra would only stand in each other's way.
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo serve test test-fast test-long lint bench docs lock screenshots clean

help:  ## what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(FOUND_PYTHON)" && $(FOUND_PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Cartograph needs Python 3.11; found: $(if $(FOUND_PYTHON),$$($(FOUND_PYTHON) --version 2>&1),none). Install it, or say where it is: make PYTHON=/path/to/python3.11 ..."; exit 2; }
	$(FOUND_PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 2; }

# pip installs only uv, by its hash; uv installs the rest, by theirs.
$(BIN)/uv: requirements-uv.lock | $(BIN)/python
	@echo "Installing into $(VENV), once: one to two minutes."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

# The development install holds all of the runtime's: where it is there, it is the one kept fresh.
$(VENV)/runtime.stamp: requirements.lock pyproject.toml $(BIN)/uv
	@if test -f $(VENV)/dev.stamp; then $(MAKE) --no-print-directory $(VENV)/dev.stamp; else \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; fi
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml $(BIN)/uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/runtime.stamp  ## install what the program needs into .venv, from the lock
setup-dev: $(VENV)/dev.stamp  ## the same with everything the tests need

demo: setup  ## load the synthetic trial and open it: prints the address
	$(BIN)/cartograph demo --database "$(DATABASE)" --port $(PORT)

serve: setup  ## serve your own database: make serve DATABASE=sqlite:///trial.db
	$(BIN)/cartograph serve --database "$(DATABASE)" --port $(PORT)

test: setup-dev lint  ## everything that a clean machine can run; says what it skipped and why
	@$(BIN)/python -m tests.browser_setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long"

test-fast: setup-dev  ## under two minutes
	$(BIN)/python -m pytest -n 2 -q -m "not slow and not long and not browser"

test-long: setup-dev  ## hundreds of kills and seeds
	$(BIN)/python -m pytest -m long

lint: setup-dev  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev  ## side-by-side measurements, written to docs/benchmarks.md
	$(BIN)/cartograph bench

docs: setup-dev  ## write the generated pages of docs/ again
	$(BIN)/python -m docs.generate

screenshots: setup-dev  ## every page, light and dark, desktop and phone, into data/screenshots
	$(BIN)/python -m tests.e2e.screenshots data/screenshots

lock: | $(BIN)/python  ## resolve requirements*.txt again
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(COMPILE) requirements.txt requirements-build.txt -o requirements.lock
	$(COMPILE) requirements-dev.txt -o requirements-dev.lock
	echo uv | $(COMPILE) -c requirements-dev.lock - -o requirements-uv.lock

clean:  ## remove what the commands above made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .pytest_pg data
