# Everything starts here: `make` lists the targets. A machine needs Python 3.11 to 3.13 and make; the rest comes along.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# make itself takes these in a path for syntax, long before `bank doctor` could say so.
ifneq ($(or $(word 2,$(CURDIR)),$(findstring ',$(CURDIR)),$(findstring ",$(CURDIR)),$(findstring $$,$(CURDIR))),)
$(error The path of this checkout, $(CURDIR), holds a space, a quote or a dollar sign: move it to another folder)
endif

PYTHON ?= python3
UV_VERSION := $(shell sed -n 's/^uv = "\(.*\)"/\1/p' infra/platform.toml)
OWN_UV := $(CURDIR)/.local/uv/bin/uv
# A uv on PATH is used when it is new enough, else the pinned one is installed into .local/ from PyPI.
UV ?= $(shell installed=$$(command -v uv) && printf '%s\n%s\n' $(UV_VERSION) "$$(uv --version | cut -d' ' -f2)" | sort -VC && echo "$$installed" || echo $(OWN_UV))
export UV
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

RUN := $(UV) run --no-sync --quiet
BANK := $(RUN) bank
PYTEST := $(RUN) pytest -q --durations 8
SEPARATE := infra/snowflake-local orchestration/airflow analytics/banking_dbt
ARGS ?=

# The test stacks: state and ports of their own, so that they never meet a running one, nor each other.
TEST_ENV := BANKCTL_STATE_DIR=$(CURDIR)/.local/test BANKCTL_PORT_OFFSET=10000
E2E_ENV := BANKCTL_STATE_DIR=$(CURDIR)/.local/test-e2e BANKCTL_PORT_OFFSET=11000
CASES_ENV := BANKCTL_STATE_DIR=$(CURDIR)/.local/test-cases BANKCTL_PORT_OFFSET=12000
BENCHMARK_ENV := BANKCTL_STATE_DIR=$(CURDIR)/.local/benchmark BANKCTL_PORT_OFFSET=13000
CONTAINER_ENV := BANKCTL_STATE_DIR=$(CURDIR)/.local/test-containers BANKCTL_PORT_OFFSET=5000

.PHONY: help
help: ## List the targets
	@echo "usage: make TARGET [ARGS=\"…\"]"
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort -s -t: -k1,1 | awk -F':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

# -- run ----------------------------------------------------------------------------------------------------------

.PHONY: demo up down status logs doctor
demo: setup ## The whole pipeline: start, generate, watch, prove (ARGS="--down --seed 7")
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

# -- containers ---------------------------------------------------------------------------------------------------

COMPOSE_FILE := infra/compose/compose.yaml
# A folder with a ready MinIO binary saves its compile (five minutes on two cores).
MINIO_BINARY ?=
COMPOSE := $(if $(MINIO_BINARY),BANK_MINIO_BINARY=$(MINIO_BINARY) )docker compose -f $(COMPOSE_FILE) $(if $(MINIO_BINARY),-f infra/compose/compose.minio-binary.yaml)
# One service for each image: the others of compose.yaml share it.
IMAGE_SERVICES := provision bank kafka connect registry minio snowflake airflow-api event-receiver cdc-consumer generator

.PHONY: images compose-up compose-demo compose-down
images: ## Build every image (MINIO_BINARY=FOLDER hands in a ready MinIO)
	@$(COMPOSE) --profile generator --profile tools build $(if $(CI),--quiet) $(IMAGE_SERVICES)
compose-up: images ## Start the stack in containers; needs a container engine and nothing else
	@$(COMPOSE) up --detach --wait
compose-demo: compose-up ## The demo on the stack in containers (ARGS="--seed 7")
	@$(COMPOSE) run --rm bank demo $(ARGS)
compose-down: ## Stop the stack in containers (ARGS="--volumes" removes its state as well)
	@$(COMPOSE) --profile generator --profile tools down $(ARGS)

# -- environments -------------------------------------------------------------------------------------------------

.PHONY: setup setup-all lock
setup: $(filter $(OWN_UV),$(UV)) ## Create the workspace's environment
	@$(UV) sync --locked --all-packages --all-extras --quiet
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

.PHONY: format lint types imports rendered secrets
format: setup ## Format the code
	@$(RUN) ruff check --fix --quiet . ; $(RUN) ruff format --quiet .
lint: setup ## Ruff, import contracts, rendered files, secrets
	@$(RUN) ruff check --quiet . && $(RUN) ruff format --check --quiet .
	@$(MAKE) imports rendered secrets
secrets: setup ## No secret in a tracked file (detect-secrets; .secrets.baseline has what only looks like one)
	@git ls-files -z | xargs -0 $(RUN) detect-secrets-hook --baseline .secrets.baseline
	@git ls-files -z | xargs -0 $(RUN) detect-private-key
imports: setup ## The arrows between packages (import-linter), and what each declares that it needs (deptry)
	@PYTHONPATH=orchestration/airflow/src:infra/snowflake-local/src $(RUN) lint-imports --cache-dir .local/import-linter | tail -n 3
	@for member in libs/bank_common services/* infra/bankctl $(SEPARATE); do (cd $$member && \
	  $(RUN) --project $(CURDIR) deptry --no-ansi $$([ -d src ] && echo src || echo .) 2>&1 | \
	  grep -v '^Scanning\|^$$\|documentation' | { ! grep -v 'Success'; }) || exit 1; done
rendered: setup ## Names, settings and DDL rendered from their owners are up to date
	@$(BANK) render --check
types: setup ## Pyright
	@$(RUN) pyright --warnings | tail -n 20
	@$(RUN) pyright --warnings --project benchmarks | tail -n 20

# -- one project alone --------------------------------------------------------------------------------------------

# MEMBER is a project's folder. Its environment has what it declares and nothing else, so an undeclared import fails.
MEMBER_VENV = $(if $(wildcard $(MEMBER)/uv.lock),$(CURDIR)/$(MEMBER)/.venv,$(CURDIR)/.local/members/$(subst /,-,$(MEMBER)))
MEMBER_UV = UV_PROJECT_ENVIRONMENT=$(MEMBER_VENV) $(UV)
MARKS ?= $(if $(wildcard $(MEMBER)/tests/contract),not contract)
# Contract tests have a group of their own: what starts their components must not hide what the program forgot.
MEMBER_GROUPS = $(if $(filter contract,$(firstword $(MARKS))),--all-groups)
MEMBER_TESTS = $(if $(filter contract,$(firstword $(MARKS))),$(MEMBER)/tests/contract,--ignore $(MEMBER)/tests/contract $(MEMBER))
# The end-to-end suite has no other tests: there the environment is checked by collecting them.
test-member: MARKS := $(if $(filter tests-e2e,$(MEMBER)),e2e,$(MARKS))
test-member: ARGS += $(if $(filter tests-e2e,$(MEMBER)),--collect-only)

.PHONY: affected sync-member lint-member types-member test-member contract-member
affected: ## What a change must be tested with, as JSON (BASE=origin/main)
	@$(PYTHON) .github/scripts/affected.py --base "$${BASE:-}"
sync-member: $(filter $(OWN_UV),$(UV))
	@test -f "$(MEMBER)/pyproject.toml" || { echo "MEMBER names a project's folder: make test-member MEMBER=services/generator"; exit 1; }
	@$(MEMBER_UV) sync --locked --quiet --all-extras $(MEMBER_GROUPS) --project $(MEMBER)
lint-member: setup ## Ruff on one project (MEMBER=services/generator)
	@$(RUN) ruff check --quiet $(MEMBER) && $(RUN) ruff format --check --quiet $(MEMBER)
types-member: MEMBER_GROUPS = --all-groups
types-member: setup sync-member ## Pyright on one project, in its own environment
	@$(RUN) pyright --warnings --pythonpath $(MEMBER_VENV)/bin/python $(if $(wildcard $(MEMBER)/uv.lock),--project )$(MEMBER) | tail -n 20
test-member: sync-member ## One project's tests in its own environment (MEMBER=services/generator MARKS="contract")
	@$(MEMBER_UV) run --no-sync --project $(MEMBER) pytest -q $(if $(MARKS),-m "$(MARKS)") $(MEMBER_TESTS) $(ARGS)
contract-member: setup ## … and its contract tests, on the test stack
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only $(CONTRACT_STACK); \
	$(TEST_ENV) $(MAKE) test-member MARKS=contract

include .github/delivery.mk

# -- test ---------------------------------------------------------------------------------------------------------

# They run side by side. The end-to-end suite waits most of its time and goes first; the checks take what it leaves, in
# an order that lets its stack start before that of the contract tests.
CHECKS := unit types contract conformance dbt delivery lint dags

# No test and no measurement goes by a `.env` that somebody left, or runs on an account that his shell names.
ON_THEIR_OWN := test test-member contract-member e2e test-containers container-images container-e2e $(CHECKS) \
  drill drill-cases drill-airflow drill-builds chaos-consumer mutations-consumer \
  benchmark-consumer benchmark-load benchmark-statements benchmark-steady
$(ON_THEIR_OWN): export BANK_ENV_FILE :=
$(ON_THEIR_OWN): export SNOWFLAKE_ACCOUNT :=

.PHONY: test drill drill-cases drill-airflow e2e test-containers container-images container-e2e chaos-consumer mutations-consumer benchmark-consumer benchmark-load benchmark-statements benchmark-steady $(filter-out lint types,$(CHECKS))
test: setup setup-all ## Everything that needs no container engine
	@echo "Side by side: e2e $(CHECKS). Each shows its output when it has ended; all of it takes 10 to 13 minutes on two cores."
	@start=$$SECONDS; $(MAKE) -j3 --output-sync=recurse stage-e2e $(CHECKS:%=stage-%); \
	echo "== all stages passed in $$((SECONDS - start)) s"
stage-%:
	@start=$$SECONDS; echo "== $*"; $(if $(filter e2e,$*),,nice -n 10) $(MAKE) $*; echo "== $* passed in $$((SECONDS - start)) s"
unit: setup ## Unit and property tests
	@$(PYTEST) -m "not contract and not e2e and not container and not case and not matrix" libs services infra/bankctl tests-e2e
	@$(UV) run --project orchestration/airflow --locked --quiet pytest -q -m "not contract" orchestration/airflow/tests/unit
	@$(UV) run --project infra/snowflake-local --locked --quiet pytest -q infra/snowflake-local/tests/unit
	@$(MAKE) unit-repository
.PHONY: unit-repository
unit-repository: setup ## … of what no project owns: affected.py, releases, workflows, benchmarks
	@$(PYTEST) .github/scripts benchmarks
conformance: setup ## What the local warehouse promises, through the real connector
	@$(UV) run --project infra/snowflake-local --locked --quiet pytest -q infra/snowflake-local/tests --ignore infra/snowflake-local/tests/unit
dags: setup ## The DAGs load and are wired as promised
	@$(UV) run --project orchestration/airflow --locked --quiet pytest -q orchestration/airflow/tests/integrity
dbt: setup ## The dbt project parses, compiles, and its models equal a short independent fold
	@$(UV) run --project analytics/banking_dbt --locked --quiet pytest -q analytics/banking_dbt/tests
CONTRACT_STACK := bank-postgres,platform-postgres,kafka,registry,minio,snowflake
contract: setup ## Each member against real Postgres, Kafka, MinIO and warehouse
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only $(CONTRACT_STACK); \
	$(MAKE) -j2 --output-sync=target contract-consumer contract-others
.PHONY: contract-consumer contract-others
contract-consumer: # the long one: it waits for sessions to end, more than it works
	@$(TEST_ENV) $(PYTEST) -m contract services/cdc-consumer
contract-others:
	@$(TEST_ENV) $(PYTEST) -m contract libs services infra/bankctl --ignore services/cdc-consumer
	@$(TEST_ENV) $(UV) run --project orchestration/airflow --locked --quiet pytest -q -m contract orchestration/airflow/tests
# Target lag 0: the suite waits for marts most of its time. The live cases and the stack in containers have the default.
e2e: setup ## The whole native stack under faults, from commit to mart
	@trap '$(E2E_ENV) $(BANK) down --wipe' EXIT; \
	$(E2E_ENV) BANKCTL_TARGET_LAG_SECONDS=0 BANKCTL_LOAD_INTERVAL_SECONDS=20 $(PYTEST) -m "e2e and not drill" -s tests-e2e
drill-builds: setup setup-all ## Two builds at once, by hand and as the DAG builds, 20 times, each fifth time one is killed
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only minio,snowflake; \
	$(TEST_ENV) BUILD_ROUNDS=20 $(UV) run --project orchestration/airflow --locked --quiet pytest -q -s orchestration/airflow/tests/contract/test_builds.py
chaos-consumer: setup ## 200 kills, 20 freezes, 2 minutes without a store (half an hour and more)
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only kafka,platform-postgres,registry,minio; \
	$(TEST_ENV) CHAOS_KILLS=200 CHAOS_SLEEPS=20 CHAOS_OUTAGE_SECONDS=120 \
	  $(PYTEST) -s -m contract -k "kill or owners or store_that_is_down" services/cdc-consumer
mutations-consumer: setup ## Break each line that the consumer's guarantees rest on; a named test must fail (ARGS="put.py")
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only minio; \
	$(TEST_ENV) $(RUN) python services/cdc-consumer/tests/mutations.py $(ARGS)
benchmark-consumer: setup ## What landing costs, on a million real changes (ARGS="--rounds 5 --only compare")
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only bank-postgres,platform-postgres,kafka,registry,connect,minio; \
	$(TEST_ENV) $(RUN) python -m benchmarks.consumer $(ARGS)
drill-airflow: setup setup-all ## Each Airflow process killed and frozen under traffic, for hours (ROUNDS=10 VICTIM="dbt" STACK=compose)
	@$(if $(filter compose,$(STACK)),$(MAKE) images,trap '$(CASES_ENV) $(BANK) down --wipe' EXIT); \
	$(if $(filter compose,$(STACK)),$(CONTAINER_ENV),$(CASES_ENV)) DRILL_ROUNDS=$(ROUNDS) DRILL_ONLY="$(VICTIM)" \
	  $(PYTEST) -m matrix -s tests-e2e/drills --stack $(STACK) $(ARGS)
benchmark-steady: setup setup-all ## Lag and CPU under steady traffic and at rest, 50 minutes (PROBES=100: stage by stage)
	@trap '$(BENCHMARK_ENV) $(BANK) down --wipe' EXIT; \
	$(BENCHMARK_ENV) PYTHONPATH=tests-e2e $(RUN) python -m benchmarks.steady --minutes $(MINUTES) --rates $(RATES) \
	  --target-lag $(TARGET_LAG) --rest-minutes $(REST_MINUTES) --probes $(PROBES)
benchmark-statements: setup ## Milliseconds of the local warehouse's hot statements (ARGS="--before FOLDER/infra/snowflake-local/src")
	@PYTHONPATH=infra/snowflake-local/tests $(UV) run --project infra/snowflake-local --locked --quiet python -m benchmarks.hot_statements $(ARGS)
benchmark-load: setup ## Segments a second of a load run, on a backlog (ARGS="--rounds 5")
	@trap '$(TEST_ENV) $(BANK) down --wipe' EXIT; \
	$(TEST_ENV) $(BANK) up --only minio,snowflake; \
	$(TEST_ENV) PYTHONPATH=orchestration/airflow/tests $(UV) run --project orchestration/airflow --locked --quiet \
	  python -m benchmarks.load $(ARGS)
drill: setup setup-all ## Longer fault drills on the whole stack
	@trap '$(E2E_ENV) $(BANK) down --wipe' EXIT; \
	$(E2E_ENV) $(PYTEST) -m drill -s tests-e2e
drill-cases: setup setup-all ## Live faults, each mended and proven equal again (ARGS="-m short", ARGS="-k c38")
	@trap '$(CASES_ENV) $(BANK) down --wipe' EXIT; \
	$(CASES_ENV) BANKCTL_LOAD_INTERVAL_SECONDS=20 $(PYTEST) -m case -s tests-e2e/cases $(ARGS)

# What benchmark-steady measures: minutes of each rate (transactions a second), then minutes of rest, or so many probes.
MINUTES ?= 10
RATES ?= 1,20,200
TARGET_LAG ?= 10
REST_MINUTES ?= 10
PROBES ?= 0
# How often drill-airflow strikes each process in each way, if not all of them which, and on which stack.
ROUNDS ?= 10
VICTIM ?=
STACK ?= native

# Needs a container engine: builds the images, then tests them one by one, then drives the whole stack of them. Not side by
# side: each keeps two cores busy, and starts that wait for each other take three times as long.
test-containers: setup ## Images, single components and the whole stack in containers; needs a container engine
	@start=$$SECONDS; for stage in images container-images container-e2e; do $(MAKE) stage-$$stage; done; \
	echo "== all container stages passed in $$((SECONDS - start)) s"
container-images: # tries of testcontainers, whatever their interval: a start may take a minute
	@TC_MAX_TRIES=600 $(PYTEST) -m container -s tests-e2e/containers
container-e2e:
	@$(CONTAINER_ENV) BANKCTL_LOAD_INTERVAL_SECONDS=30 $(PYTEST) -m "e2e and not drill and not native" -s tests-e2e/tests --stack compose
