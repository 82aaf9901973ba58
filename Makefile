# Lumbar: every target sets up what it needs. `make` alone lists them.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
DATA ?= .lumbar
PORT ?= 8080
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-input

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up test browser faults bench screens lint types clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready ## make .venv from the hashed lock (Python 3.11 or newer)

setup-dev: .venv/.ready-dev ## the same with what tests and linters need

demo: .venv/.ready ## twelve weeks of care in time-lapse: a timeline and a summary
	$(BIN)/lumbar demo

up: .venv/.ready ## the clinic on http://127.0.0.1:8080, with the demo's patients where DATA is empty
	@test -n "$$(ls -A '$(DATA)' 2>/dev/null)" || $(BIN)/lumbar demo --data '$(DATA)'
	$(BIN)/lumbar up --data '$(DATA)' --port $(PORT)

test: .venv/.ready-dev ## all tests but those in a browser
	$(BIN)/python -m pytest -n 3 --dist loadgroup --ignore=tests/browser

browser: .venv/.ready-dev ## every page and role in Chromium
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/browser

faults: .venv/.ready-dev ## 500 kills, outages, bad events, full disks on both transports; the table goes into docs/reliability.md
	$(BIN)/python -m tests.failure.full --write docs/reliability.md

bench: .venv/.ready-dev ## every path beside its floor, on both transports: bench/latest.json, docs/performance.md
	$(BIN)/python -m bench plan
	$(BIN)/python -m bench series
	$(BIN)/python -m bench run --keep

screens: .venv/.ready-dev ## every page photographed into screens/, the chosen ones into docs/screens (needs Chromium)
	$(BIN)/python -m tests.browser.screens

lint: .venv/.ready-dev ## style, formatting and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/.ready-dev ## mypy, strict
	$(BIN)/mypy

clean: ## remove .venv and caches; data folders stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found (PYTHON=... names one)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a venv: on Debian, apt-get install python3-venv" >&2; exit 1; }

.venv/.ready: requirements.lock pyproject.toml | .venv/bin/python
	@echo "setting up .venv from requirements.lock"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.ready-dev: requirements-dev.lock .venv/.ready
	@echo "setting up .venv from requirements-dev.lock"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
