# Everything starts here: `make` lists the targets. A machine needs Python 3.11 to 3.13 and make; the rest comes along.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV_VERSION := $(shell sed -n 's/^uv = "\(.*\)"/\1/p' infra/platform.toml)
OWN_UV := $(CURDIR)/.local/uv/bin/uv
# A uv on PATH is used when it is new enough, else the pinned one is installed into .local/ from PyPI.
UV ?= $(shell found=$$(command -v uv) && printf '%s\n%s\n' $(UV_VERSION) "$$(uv --version | cut -d' ' -f2)" | sort -VC && echo "$$found" || echo $(OWN_UV))
export UV
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

RUN := $(UV) run --no-sync --quiet
BANK := $(RUN) bank
PYTEST := $(RUN) pytest -q --durations 8
SEPARATE := infra/snowflake-local orchestration/airflow analytics/banking_dbt
ARGS ?=

# The test stack: state and ports of its own, so that it never meets a running one.
TEST_STATE := $(CURDIR)/.local/test
TEST_ENV := BANKCTL_STATE_DIR=$(TEST_STATE) BANKCTL_PORT_OFFSET=10000

.PHONY: help
help: ## List the targets
	@echo "usage: make TARGET [ARGS=\"…\"]"
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort -s -t: -k1,1 | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

# -- run ----------------------------------------------------------------------------------------------------------

.PHONY: demo up down status logs doctor
demo: setup ## The whole chain: start, generate, watch, prove (ARGS="--down --seed 7")
	@$(BANK) demo $(ARGS)
up: setup ## Start the stack (ARGS="--only kafka,minio")
	@$(BANK) up $(ARGS)
down: setup ## Stop the stack (ARGS="--wipe" removes its state as well)
	@$(BANK) down $(ARGS)
status: setup ## What runs, whether it is healthy, how much memory it takes
	@$(BANK) status $(ARGS)
logs: setup ## Show a component's log (ARGS="-f cdc-consumer")
	@$(BANK) logs $(ARGS)
doctor: setup ## Check that this machine has what the stack needs
	@$(BANK) doctor $(ARGS)

# -- environments -------------------------------------------------------------------------------------------------

.PHONY: setup setup-all lock
setup: $(filter $(OWN_UV),$(UV)) ## Create the workspace's environment
	@$(UV) sync --locked --all-packages --quiet
setup-all: setup ## … and those of Airflow, dbt and the local warehouse
	@for project in $(SEPARATE); do $(UV) sync --locked --quiet --project $$project; done
lock: $(filter $(OWN_UV),$(UV)) ## Renew every uv.lock after a change of dependencies
	@for project in . $(SEPARATE); do $(UV) lock --project $$project; done

$(OWN_UV):
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) -V 2>&1). The pipeline needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@echo "Installing uv $(UV_VERSION) into .local/uv (one wheel from PyPI, about 25 MB)"
	@mkdir -p .local; rm -rf .local/uv.new .local/uv-venv; \
	if $(PYTHON) -m pip --version >/dev/null 2>&1; then pip="$(PYTHON) -m pip"; \
	elif $(PYTHON) -m venv .local/uv-venv >/dev/null 2>&1; then pip=.local/uv-venv/bin/pip; \
	else echo "$(PYTHON) has neither pip nor venv. Install one of them (Debian: python3-pip or python3-venv), or uv itself."; exit 1; fi; \
	$$pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .local/uv.new uv==$(UV_VERSION); \
	rm -rf .local/uv .local/uv-venv; mv .local/uv.new .local/uv

# -- check --------------------------------------------------------------------------------------------------------

.PHONY: format lint types imports rendered
format: setup ## Format the code
	@$(RUN) ruff check --fix --quiet . ; $(RUN) ruff format --quiet .
lint: setup ## Ruff, import contracts, rendered files
	@$(RUN) ruff check --quiet . && $(RUN) ruff format --check --quiet .
	@$(MAKE) imports rendered
imports: setup ## The arrows between packages (import-linter)
	@$(RUN) lint-imports --cache-dir .local/import-linter | tail -n 3
rendered: setup ## Names, settings and DDL rendered from their owners are up to date
	@$(BANK) render --check
types: setup ## Pyright
	@$(RUN) pyright --warnings | tail -n 20

# -- test ---------------------------------------------------------------------------------------------------------

# Two of these run side by side, the longest first; e2e has the machine for itself.
CHECKS := contract conformance unit dbt types lint dags

.PHONY: test drill e2e chaos-consumer mutations-consumer $(filter-out lint types,$(CHECKS))
test: setup setup-all ## Everything that needs no container engine
	@start=$$SECONDS; $(MAKE) -j2 --output-sync=recurse $(CHECKS:%=stage-%); $(MAKE) stage-e2e; \
	echo "== all stages passed in $$((SECONDS - start)) s"
stage-%:
	@start=$$SECONDS; echo "== $*"; $(MAKE) $*; echo "== $* passed in $$((SECONDS - start)) s"
unit: setup ## Unit and property tests
	@$(PYTEST) -m "not contract and not e2e" libs services infra/bankctl tests-e2e
	@$(UV) run --project orchestration/airflow --locked --quiet pytest -q -m "not contract" orchestration/airflow/tests/unit
	@$(UV) run --project infra/snowflake-local --locked --quiet pytest -q infra/snowflake-local/tests/unit
conformance: setup ## What the local warehouse promises, through the real connector
	@$(UV) run --project infra/snowflake-local --locked --quiet pytest -q infra/snowflake-local/tests --ignore infra/snowflake-local/tests/unit
dags: setup ## The DAGs load and are wired as promised
	@$(UV) run --project orchestration/airflow --locked --quiet pytest -q orchestration/airflow/tests/integrity
dbt: setup ## The dbt project parses, compiles, and its models equal a short independent fold
	@$(UV) run --project analytics/banking_dbt --locked --quiet pytest -q analytics/banking_dbt/tests
contract: setup ## Each member against real Postgres, Kafka, MinIO and warehouse
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only bank-postgres,platform-postgres,kafka,registry,minio,snowflake; \
	$(TEST_ENV) $(PYTEST) -m contract libs services infra/bankctl; \
	$(TEST_ENV) $(UV) run --project orchestration/airflow --locked --quiet pytest -q -m contract orchestration/airflow/tests
e2e: setup ## The whole native stack under faults, from commit to mart
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) BANKCTL_LOAD_INTERVAL_SECONDS=30 $(PYTEST) -m "e2e and not drill" -s tests-e2e
chaos-consumer: setup ## Many kills and freezes of the consumer (half an hour and more)
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only kafka,platform-postgres,registry,minio; \
	$(TEST_ENV) CHAOS_KILLS=200 CHAOS_SLEEPS=20 $(PYTEST) -m contract -k "kill or owners" services/cdc-consumer
mutations-consumer: setup ## Break each line that the consumer's guarantees rest on; a named test must fail
	@$(RUN) python services/cdc-consumer/tests/mutations.py
drill: setup setup-all ## Longer fault drills on the whole stack
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(PYTEST) -m drill -s tests-e2e
