# Every job of this repository in one word. `make demo` and `make test` need only
# Python >= 3.11, git, make and the package index; `make test-all` installs the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
RUN := .venv/bin/python -m
DEMO := build/demo
LEVEL ?= 2

.PHONY: help setup demo test test-all lint format types contracts docs bench generated clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready ## the development environment in .venv, from uv.lock

# uv is used where it is found and brought in where it is not.
.venv/.ready: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found" >&2; exit 1; }
	if command -v uv >/dev/null; then uv sync --frozen --all-extras --quiet --python $(PYTHON); \
	else test -x .venv/bin/python || $(PYTHON) -m venv .venv; \
		$(RUN) pip install --quiet --disable-pip-version-check uv; \
		UV_PROJECT_ENVIRONMENT=.venv $(RUN) uv sync --frozen --all-extras --quiet --inexact; fi
	@# Bytecode at once: where PYTHONDONTWRITEBYTECODE is set, each start would compile anew.
	@$(RUN) compileall -q src .venv/lib/python*/site-packages/{click,rich,yaml,msgspec} || true
	@touch .venv/.ready

demo: setup ## set up, generate a project, train it, audit it, show the report
	@tools/demo.sh "$(DEMO)" "$(LEVEL)"

test: setup ## the fast suite: units, scenarios, contracts, goldens, a sample of the template
	$(RUN) pytest -q -n auto -m "not slow"

test-all: setup ## everything: also set-up of generated projects, whole matrices, browsers
	tools/install_system.sh
	$(RUN) pytest -q -m ""

lint: setup ## ruff, mypy, import contracts, generated files in step
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/python .venv/bin/lint-imports --no-cache
	$(MAKE) --no-print-directory generated MODE=--check

format: setup ## rewrite in the one style
	$(RUN) ruff format .
	$(RUN) ruff check --fix-only .

MODE ?=
generated: setup ## rewrite (or with MODE=--check verify) what is generated from other files
	.venv/bin/python tools/cookiecutter_json.py $(MODE)

bench: setup ## start-up and audit time, as ratios in one run
	.venv/bin/python tests/benchmarks/bench.py

# A group of its own: who does not write documentation need not install its generator.
docs: setup ## the documentation site in site/, built strictly and without a network
	if command -v uv >/dev/null; then uv sync --frozen --all-extras --inexact --group docs --quiet; \
	else UV_PROJECT_ENVIRONMENT=.venv $(RUN) uv sync --frozen --all-extras --inexact --group docs --quiet; fi
	.venv/bin/python tools/docs_site.py build/docs
	cd build/docs && ../../.venv/bin/zensical build --strict --clean
	rm -rf site && mv build/docs/site site

clean: ## remove what the targets above made
	rm -rf build dist site .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
