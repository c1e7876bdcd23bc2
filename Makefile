# `make` lists what can be done. Everything lives in .venv; nothing needs root, a broker or Bluetooth.

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
PRODUCT := .venv/.product-installed
TOOLS := .venv/.tools-installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test pytest lint types layers docs-check bench pictures documents format constraints clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(PRODUCT) ## Make .venv with the product and its simulator
	@echo "Ready: $(BIN)/rolltrack and $(BIN)/rolltrack-sim"

demo: $(PRODUCT) ## See it work without hardware (ARGS are passed on: make demo ARGS='--speed 4')
	@$(BIN)/rolltrack demo $(ARGS)

test: lint types layers pytest ## Everything that CI runs

pytest: $(TOOLS) ## The tests, documentation included (ARGS: make pytest ARGS='-k strokes')
	$(BIN)/python -m pytest $(ARGS)

lint: $(TOOLS) ## Style, format and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(TOOLS) ## Types, strictly
	$(BIN)/mypy

layers: $(TOOLS) ## Who may import whom
	$(BIN)/lint-imports

docs-check: $(TOOLS) ## Run the examples in README and docs
	$(BIN)/python -m pytest README.md docs tests/docs

bench: $(TOOLS) ## Speed and memory, as ratios against named alternatives
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

pictures: $(TOOLS) ## Draw the pictures of docs/how-speed-is-measured.md anew
	$(PIP) install --constraint constraints.txt --group pictures
	$(BIN)/python docs/pictures/draw.py

documents: $(PRODUCT) ## Write the schemas and the AsyncAPI document in docs/mqtt anew
	$(BIN)/rolltrack mqtt docs --out docs/mqtt

format: $(TOOLS) ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove .venv and everything generated
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

constraints: ## Pin the newest versions that fit pyproject.toml, in constraints.txt
	rm -rf build/pins && $(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip --quiet install --upgrade 'pip>=25.1'
	build/pins/bin/python -m pip --quiet install -e '.[sim,broker]' --group dev --group pictures
	{ sed '/^[^#]/,$$d' constraints.txt; build/pins/bin/python -m pip list --format=freeze \
	  --exclude-editable --exclude pip --exclude setuptools; } > build/constraints.txt
	mv build/constraints.txt constraints.txt && rm -rf build/pins

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rolltrack needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making .venv (once, about a minute)"
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 1; }

$(PRODUCT): pyproject.toml constraints.txt | .venv/bin/python
	@$(PIP) install --upgrade 'pip>=25.1'  # older ones do not know --group
	@$(PIP) install --constraint constraints.txt --editable '.[sim,broker]'
	@touch $@

$(TOOLS): pyproject.toml constraints.txt $(PRODUCT)
	@$(PIP) install --constraint constraints.txt --group dev
	@touch $@
