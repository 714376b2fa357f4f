# Every target sets up what it needs, from nothing but a Python from 3.11 to 3.14 and make.
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach minor,11 12 13 14,$(shell command -v python3.$(minor))) python3)
VERSION := $(shell $(PYTHON) -I -S -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
VENV := .venv
TESTS := tests
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --quiet --disable-pip-version-check
INSTALL := $(PIP) install --constraint constraints.txt --build-constraint constraints.txt

# --- environment: a stamp per set of packages ----------------------------------------------------

# An environment of another Python has no stamp of this name, and is made again.
MADE := $(VENV)/pip-$(VERSION).stamp

# The pip that comes with Python 3.11 knows no dependency groups.
$(MADE): constraints.txt
	$(PYTHON) -m venv $(if $(wildcard $@),,--clear) $(VENV)
	$(PIP) install --constraint constraints.txt --upgrade pip
	@touch $@

# What a user of the command has: the package and two extras.
$(VENV)/demo.stamp: $(MADE) pyproject.toml constraints.txt
	$(INSTALL) --editable '.[cli,sandbox]'
	@touch $@

$(VENV)/dev.stamp: $(MADE) pyproject.toml constraints.txt
	$(INSTALL) --editable '.[browser,cli,sandbox]' --group dev
	@touch $@ $(VENV)/demo.stamp

# Gradio pins what this package leaves open, so each of its lines has an environment of its own.
GRADIO_VENVS := .venv-gradio5 .venv-gradio6
GALLERY_VENVS := $(patsubst %.txt,.venv-%,$(notdir $(wildcard tests/servers/gallery/*.txt)))

vpath gradio%.txt tests/servers/gradio tests/servers/gallery

.venv-gradio%/stamp: gradio%.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip --quiet --quiet --disable-pip-version-check install --requirement $<
	@touch $@

# g4f, whose licence is the GPL, is installed nowhere else; nothing of it is in this package.
G4F_VENVS := .venv-g4f-old .venv-g4f-new

.venv-g4f-%/stamp: tests/servers/g4f/g4f_%.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip --quiet --quiet --disable-pip-version-check install --requirement $<
	$(@D)/bin/pip --quiet --quiet --disable-pip-version-check install --no-deps --editable .
	@touch $@

# Playwright's download of a browser of its own is neither needed nor wanted.
CHROMIUM := env DEBIAN_FRONTEND=noninteractive sh -c \
  'apt-get update && apt-get install --yes --no-install-recommends chromium'

# --- targets -------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/demo.stamp ## show the package at work on a loopback server
	@$(BIN)/langchain-g4f demo

.PHONY: test
test: $(VENV)/dev.stamp ## run the tests (TESTS=tests/unit: some of them)
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 $(TESTS)

.PHONY: test-pythons
test-pythons: TESTS := tests/unit
test-pythons: ## the unit tests on every Python from 3.11 to 3.14 (PYTHONS=: paths of more)
	@$(PYTHON) scripts/pythons.py --tests '$(TESTS)' $(PYTHONS)

NEWEST := langchain langchain-core curl_cffi

# Alone: one that wants something newer than the registry has would not be chosen.
.PHONY: test-newest
test-newest: ## chat models, tools and impersonating on the newest LangChain and curl_cffi
	$(MAKE) --no-print-directory VENV=.venv-newest .venv-newest/dev.stamp
	.venv-newest/bin/pip --quiet install --upgrade --no-deps $(NEWEST)
	@.venv-newest/bin/pip --quiet freeze | grep -E '^(langchain|langchain-core|curl_cffi)=='
	.venv-newest/bin/pytest --numprocesses auto --maxprocesses 4 tests/standard \
	  tests/unit/chat_models tests/unit/tools tests/unit/transport/test_impersonate*.py

GALLERY := $(BIN)/pytest tests/servers/gallery -m gallery --numprocesses 2

.PHONY: test-servers
test-servers: $(VENV)/dev.stamp $(GRADIO_VENVS:=/stamp) .venv-gradio-5.49.1/stamp
test-servers: ## the tests on real Gradio servers, both lines
	$(BIN)/pytest tests/servers/gradio -m servers
	$(GALLERY) -k '5.49.1 or 6.31.0'

.PHONY: test-gallery
test-gallery: $(VENV)/dev.stamp $(GRADIO_VENVS:=/stamp) $(GALLERY_VENVS:=/stamp)
test-gallery: ## many apps on seven versions of Gradio, and their table in the docs
	rm -rf build/gallery
	$(GALLERY); status=$$?; \
	  $(BIN)/python -m tests.servers.gallery.table >docs/gradio-gallery.md; exit $$status

.PHONY: g4f-compat
g4f-compat: $(G4F_VENVS:=/stamp) ## ChatG4F on the base classes of g4f, old line and new
	set -e; for venv in $(G4F_VENVS); do $$venv/bin/pytest tests/servers/g4f -m g4f; done

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || ( $(CHROMIUM) || sudo -n $(CHROMIUM) ) >/dev/null 2>&1 || \
	  { echo 'no chromium here, and none could be installed: put one on the PATH' >&2; exit 1; }

.PHONY: test-browser
test-browser: $(VENV)/dev.stamp chromium ## sign-in in a real Chromium
	$(BIN)/pytest tests/servers/browser -m browser

.PHONY: lint
lint: $(VENV)/dev.stamp ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

.PHONY: format
format: $(VENV)/dev.stamp ## format the code and apply safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

.PHONY: type
type: $(VENV)/dev.stamp ## mypy alone
	$(BIN)/mypy

.PHONY: test-bench
test-bench: $(VENV)/dev.stamp ## the tests of the benchmarks
	$(BIN)/pytest tests/unit -m bench

.PHONY: bench
bench: $(VENV)/dev.stamp ## the performance table
	$(BIN)/python -m benchmarks

.PHONY: bench-servers
bench-servers: $(VENV)/dev.stamp $(GRADIO_VENVS:=/stamp) ## the performance tables of Gradio, on real servers
	$(BIN)/python -m benchmarks.gradio

.PHONY: figures
figures: $(VENV)/dev.stamp ## size, call path and wording of the code, as a table
	@$(BIN)/python scripts/figures.py

.PHONY: mutants
mutants: $(VENV)/dev.stamp ## change the code in small ways, and count the changes that tests notice
	@$(BIN)/python scripts/mutants.py

.PHONY: evidence
evidence: $(VENV)/dev.stamp ## write build/evidence.md: what is owed, and the tests that show it
	@mkdir -p build
	$(BIN)/pytest --collect-only -qq --evidence-out build/evidence.md >/dev/null
	@echo wrote build/evidence.md

.PHONY: nightly
nightly: $(VENV)/dev.stamp ## 20 000 examples per property, and the load tests
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest tests/contract/properties --timeout=0
	$(BIN)/pytest tests/nightly -m load

.PHONY: load
load: $(VENV)/dev.stamp ## many streams at once: leaks, memory, rates (WRITE=1: to the docs)
	$(BIN)/pytest tests/nightly -m load $(if $(WRITE),--write-load-docs)

.PHONY: clean
clean: ## remove the environments and everything generated
	rm -rf $(VENV) .venv-py* .venv-newest $(GRADIO_VENVS) $(GALLERY_VENVS) $(G4F_VENVS) build dist htmlcov .benchmarks .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z_-]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'
