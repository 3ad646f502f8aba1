# Penstock's tasks. `make` alone prints what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VENV := .venv
BIN := $(VENV)/bin
STAMPS := .make
UI_BUILT := src/penstock/web/static/index.html
UI_SOURCES := $(shell find ui -type f -not -path '*/node_modules/*' 2>/dev/null) src/penstock/web/graphql/schema.graphql
HOST := 127.0.0.1
PORT := 3000

.PHONY: help
help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "; print "Usage: make TARGET\n"} /^[a-z-]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# -- set-up: each stamp is renewed only when what it depends on has changed -------------------------------------------

$(STAMPS)/venv: pyproject.toml requirements/dev.txt scripts/setup-venv
	@scripts/setup-venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node_modules: ui/package-lock.json $(STAMPS)/venv
	@echo "Setting up the tools of the UI ..."
	@scripts/npm ci --ignore-scripts --loglevel=error > /dev/null
	@mkdir -p $(STAMPS) && touch $@

$(UI_BUILT): $(STAMPS)/node_modules $(UI_SOURCES)
	@echo "Building the UI ..."
	@mkdir -p $(STAMPS)
	@scripts/npm run build > $(STAMPS)/ui-build.log 2>&1 || { cat $(STAMPS)/ui-build.log; exit 1; }
	@touch $@

$(STAMPS)/system: scripts/setup-system
	@scripts/setup-system
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/libraries: $(STAMPS)/venv requirements/libraries.txt scripts/setup-libraries
	@scripts/setup-libraries
	@mkdir -p $(STAMPS) && touch $@

# -- tasks ------------------------------------------------------------------------------------------------------------

.PHONY: dev
dev: $(STAMPS)/venv $(UI_BUILT) ## Serve the flights example with its UI at http://127.0.0.1:3000
	@exec env PENSTOCK_HOME="$${PENSTOCK_HOME:-$(CURDIR)/.penstock}" $(BIN)/penstock dev -w examples/workspace.yaml --host $(HOST) --port $(PORT)

.PHONY: ui
ui: $(UI_BUILT) ## Build the web UI into the package

.PHONY: test
test: $(STAMPS)/venv $(STAMPS)/libraries $(STAMPS)/system $(UI_BUILT) ## Run all tests (set up what they need first)
	@scripts/npm test
	@$(BIN)/pytest -n 2 --dist loadgroup

.PHONY: check
check: $(STAMPS)/venv $(STAMPS)/node_modules ## Format check, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@scripts/npm run lint

.PHONY: format
format: $(STAMPS)/venv ## Format the code and fix what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: chaos
chaos: $(STAMPS)/venv $(STAMPS)/system $(UI_BUILT) ## Kill, stop and starve what runs, at random points of 200 runs
	@PENSTOCK_CHAOS_RUNS="$${PENSTOCK_CHAOS_RUNS:-200}" $(BIN)/pytest -n 0 tests/chaos

.PHONY: simulate
simulate: $(STAMPS)/venv ## Let daemons die, freeze and err in virtual time: 200 seeds, and a year of 1,000 schedules and sensors
	@PENSTOCK_SIMULATIONS="$${PENSTOCK_SIMULATIONS:-200}" PENSTOCK_SIMULATED_DAYS="$${PENSTOCK_SIMULATED_DAYS:-0.004}" PENSTOCK_SIMULATED_YEAR="$${PENSTOCK_SIMULATED_YEAR:-365}" PENSTOCK_SIMULATED_COUNT="$${PENSTOCK_SIMULATED_COUNT:-1000}" $(BIN)/pytest -n 2 --timeout 0 tests/simulation

.PHONY: bench
bench: $(STAMPS)/venv $(STAMPS)/system ## Measure speed beside the peer, in a scratch environment (ONLY=storage for a part)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

.PHONY: build
build: $(STAMPS)/venv $(UI_BUILT) ## Build the sdist and the wheel into dist/
	@$(BIN)/uv build

.PHONY: lock
lock: $(STAMPS)/venv ## Pin the newest allowed versions of everything in requirements/dev.txt
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header --no-annotate --upgrade -q -o requirements/dev.txt

.PHONY: clean
clean: ## Remove everything that the other targets made
	@rm -rf $(VENV) .venv-libraries $(STAMPS) dist src/penstock/web/static ui/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
