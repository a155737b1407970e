# `make demo` and `make test` are all that a fresh clone needs: each makes .venv and installs what it lacks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
STATE := $(shell cat pyproject.toml constraints.txt | cksum | tr ' ' '-')
CORE := $(VENV)/.core-$(STATE)
DEV := $(VENV)/.dev-$(STATE)
DEMO_HOME := .cache/demo
WORKERS ?= 2

# Compiled modules halve the start of every command; an environment that forbids them would cost seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench proofs clean

help:
	@echo "make demo      backtest, a day of paper trading with a crash, a planted fault repaired, a question; reports (no network)"
	@echo "make test      the test suite without slow tests"
	@echo "make test-all  the whole test suite"
	@echo "make lint      ruff, mypy and import-linter"
	@echo "make bench     the benchmarks, one JSON line each"
	@echo "make proofs    the long proofs of sessions: 1,000 kills, a storm of faults, a month (over an hour)"
	@echo "make clean     remove what these commands made"

demo: $(CORE)
	$(BIN)/gridbot --home $(DEMO_HOME) data synthetic SIM/USDT --timeframe 1m --candles 129600 --seed 5
	$(BIN)/gridbot --home $(DEMO_HOME) data check SIM/USDT
	$(BIN)/gridbot --home $(DEMO_HOME) backtest --candles SIM/USDT --timeframe 1m --report reports/demo
	$(BIN)/gridbot --home $(DEMO_HOME) simulate --report reports/demo-session
	$(BIN)/gridbot --home $(DEMO_HOME) demo --report reports/demo-repair
	$(BIN)/gridbot --home $(DEMO_HOME) ask "how are my sessions, and give me a report" --path .

test: $(DEV)
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist worksteal

test-all: $(DEV)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV)
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python -m benchmarks.live
	$(BIN)/python benchmarks/repair.py --model none
	$(BIN)/python -m benchmarks.assistant
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.testgen

proofs: $(DEV)
	$(BIN)/python -m benchmarks.crash
	$(BIN)/python -m benchmarks.storm
	$(BIN)/python -m benchmarks.soak

# The stamps carry a checksum of what was asked for, so that a changed list installs again and nothing else does.
$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'GridBot needs Python 3.11 or newer: make PYTHON=...')"
	$(PYTHON) -m venv $(VENV)

$(CORE): | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable .
	@rm -f $(VENV)/.core-*
	@touch $@

$(DEV): | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable ".[dev]"
	@rm -f $(VENV)/.core-* $(VENV)/.dev-*
	@touch $@ $(CORE)

clean:
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf reports/demo reports/demo-session reports/demo-repair reports/overview
