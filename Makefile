# Everything runs in a virtual environment of its own; PYTHON makes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help setup test quick lint docs format demo serve ui clean
.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/spotify-pipeline warm-up
	touch $@

setup: $(INSTALLED) ## Make the virtual environment

lint: docs ## Check format, lint, types, the documentation and Dagster's definitions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	home=$$(mktemp -d) && trap 'rm -r "$$home"' EXIT && \
	    printf 'telemetry:\n  enabled: false\n' > "$$home/dagster.yaml" && \
	    DAGSTER_HOME="$$home" $(BIN)/dg check defs

docs: setup ## Build the documentation into build/site; what leads nowhere is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

test: lint ## Set everything up, check, and run the tests
	$(BIN)/pytest -n auto --dist worksteal --durations=10

quick: setup ## Run the tests that start no processes, most of them
	$(BIN)/pytest -n auto --dist worksteal -m "not slow and not long"

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: setup ## Run the whole way once, in ./data-demo, on composed music or MUSIC=FOLDER
	$(BIN)/spotify-pipeline demo $(if $(MUSIC),--music "$(MUSIC)")

serve: setup ## Open a page that listens and searches, on ./data or the data home that is named
	$(BIN)/spotify-pipeline serve

ui: setup ## Open the Dagster web UI on ./data, or the data home that SPOTIFY_PIPELINE_HOME names
	$(BIN)/spotify-pipeline ui

clean: ## Remove the virtual environment, caches and compiled kernels; data stays
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find spotify_pipeline \( -name '*.nbi' -o -name '*.nbc' \) -delete
