# Needs python 3.11 or newer with venv, and make. Everything is called by its path relative to here, so that the
# clone may lie in a directory with spaces in its name, and be moved.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
PIP_INSTALL := $(VENV_PYTHON) -m pip install --disable-pip-version-check -qq
LOCK := $(VENV_PYTHON) -m uv pip compile -q --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header

# A stamp carries the sum of what the environment was made from, and of where: another lock file is another stamp.
RUN_READY := .venv/.run-$(shell { pwd; cat pyproject.toml requirements/run.txt; } | cksum | cut -d ' ' -f 1)
DEV_READY := .venv/.dev-$(shell { pwd; cat pyproject.toml requirements/dev.txt; } | cksum | cut -d ' ' -f 1)

.DEFAULT_GOAL := help
.PHONY: help run sandbox demo chaos receivers test test-browser test-pgbouncer rehearse-restore contract check format lock openapi lint-openapi changes examples docs docs-check check-alerts bench-routing bench-simulate bench-publishing bench-growth bench-delivery bench-audit bench-privacy bench-signals clients clients-lock image try-image lint-deploy lint-deploy-lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s%s\n", $$1, $$2 }' Makefile

run: $(RUN_READY) ## Start Lintas with its own database in .lintas/, or with LINTAS_DATABASE_URL
	@.venv/bin/lintas all --with-parent

sandbox: $(RUN_READY) ## Start a private world for an integrator in .lintas-sandbox/; nothing in it is real (docs/sandbox.md)
	@.venv/bin/lintas sandbox --with-parent $(ARGS)

demo: $(DEV_READY) ## Send every worked case through a throw-away Lintas to receivers that answer, and compare
	@$(VENV_PYTHON) -m demo

chaos: $(DEV_READY) ## Kill, cut and stop everything at random while referrals come, and compare id by id (10 to 20 minutes)
	@$(VENV_PYTHON) -m chaos $(ARGS)

receivers: $(DEV_READY) ## Try the example receivers against the real dispatcher (Node.js and PHP too); ARGS="python php" chooses
	@$(VENV_PYTHON) -m examples.receivers $(ARGS)

test: $(DEV_READY) ## Run the tests on a database of their own; ARGS="-k word" chooses some
	@$(VENV_PYTHON) -m pytest $(ARGS)

test-pgbouncer: $(DEV_READY) ## Try a whole exchange behind a real PgBouncer in transaction mode (needs pgbouncer)
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null || \
		{ echo "make test-pgbouncer needs PgBouncer: on Debian and Ubuntu the package pgbouncer." >&2; exit 1; }
	@$(VENV_PYTHON) -m pytest tests/deploy/test_pgbouncer.py $(ARGS)

rehearse-restore: $(DEV_READY) ## Restore a real cluster to a moment, and let a standby take over, while Lintas runs (some minutes)
	@LINTAS_TEST_REHEARSE=1 $(VENV_PYTHON) -m pytest tests/deploy/test_restore.py $(ARGS)

test-browser: $(DEV_READY) ## Try the console in a real browser (Debian's chromium); ARGS="-k word" chooses some
	@$(PIP_INSTALL) --require-hashes -r requirements/browser.txt
	@LINTAS_TEST_BROWSER=$${LINTAS_TEST_BROWSER:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome)} || \
		{ echo "make test-browser needs Chromium: on Debian the package chromium." >&2; exit 1; }; \
	export LINTAS_TEST_BROWSER; $(VENV_PYTHON) -m mypy tests/browser/*.py && $(VENV_PYTHON) -m pytest tests/browser $(ARGS)

contract: $(DEV_READY) ## Ask a Lintas of its own all that its contract allows and forbids (about ten minutes); ARGS="--role sender --examples 50"
	@$(VENV_PYTHON) -m tests.contract $(ARGS)

check: $(DEV_READY) ## Check all that .ci/run checks: format, lint, types, layers, migrations, tests, openapi
	@echo "== format" && $(VENV_PYTHON) -m ruff format --check .
	@echo "== lint" && $(VENV_PYTHON) -m ruff check .
	@echo "== types" && $(VENV_PYTHON) -m mypy
	@echo "== layers" && $(VENV_PYTHON) .venv/bin/lint-imports
	@echo "== tests, migrations up, down and up among them" && $(VENV_PYTHON) -m pytest
	@echo "== openapi" && .venv/bin/lintas openapi --check
	@echo "== changes since the last released openapi" && $(VENV_PYTHON) -m openapi.changes
	@echo "== schema of agreements" && .venv/bin/lintas agreements schema --check
	@echo "== docs" && $(VENV_PYTHON) docs/generate.py --check

format: $(DEV_READY) ## Format the code, and mend what ruff can mend
	@$(VENV_PYTHON) -m ruff check --fix-only -q .
	@$(VENV_PYTHON) -m ruff format .

lock: $(DEV_READY) ## Lock what pyproject.toml asks for, with hashes; ARGS=--upgrade takes the newest
	@$(LOCK) pyproject.toml --extra build -o requirements/run.txt $(ARGS)
	@$(LOCK) pyproject.toml --extra build --extra dev -c requirements/run.txt -o requirements/dev.txt $(ARGS)
	@$(LOCK) pyproject.toml --extra build --extra dev --extra browser -c requirements/dev.txt -o requirements/browser.txt $(ARGS)
	@$(LOCK) pyproject.toml --extra build --extra bench -c requirements/dev.txt -o requirements/bench.txt $(ARGS)

openapi: $(DEV_READY) ## Write the API's description and the schema of agreements anew
	@.venv/bin/lintas openapi
	@.venv/bin/lintas agreements schema

changes: $(DEV_READY) ## Compare openapi.json with the last released one: what breaks clients must be told by the version
	@$(VENV_PYTHON) -m openapi.changes

lint-openapi: openapi/node_modules/.package-lock.json ## Lint openapi.json by the rules of Spectral and Redocly (Node.js 20 with npm)
	@cd openapi && node_modules/.bin/spectral lint --quiet --fail-severity hint --ruleset .spectral.yaml openapi.json
	@cd openapi && REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
		node_modules/.bin/redocly lint --config redocly.yaml --format=stylish --max-problems=1000 openapi.json

openapi/node_modules/.package-lock.json: openapi/package.json openapi/package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null || \
		{ echo "make lint-openapi needs Node.js 20 or newer with npm: on Debian and Ubuntu the packages nodejs and npm." >&2; exit 1; }
	@cd openapi && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.package-lock.json

examples: $(DEV_READY) ## Write anew what the API's description shows as answers, by calling every operation
	@LINTAS_WRITE_EXAMPLES=1 $(VENV_PYTHON) -m pytest tests/description/test_examples.py tests/description/test_webhooks.py || true
	@.venv/bin/lintas openapi
	@$(VENV_PYTHON) -m pytest tests/description/test_examples.py tests/description/test_webhooks.py

docs: $(DEV_READY) ## Write the generated parts of the documents anew
	@$(VENV_PYTHON) docs/generate.py

docs-check: $(DEV_READY) ## Run every example of the documents (needs bash and curl); ARGS="--word-for-word docs/first-referral.md" in a clean clone
	@$(VENV_PYTHON) -m docs.check $(ARGS)

bench-routing: $(DEV_READY) ## Measure decisions, beside a plain loop and zen-engine (a few minutes)
	@$(PIP_INSTALL) --require-hashes -r requirements/bench.txt
	@$(VENV_PYTHON) -m bench.routing

bench-simulate: $(DEV_READY) ## Measure a draft tried on stored requests; ARGS=1000000 says on how many
	@$(VENV_PYTHON) -m bench.simulate $(ARGS)

bench-publishing: $(DEV_READY) ## Measure how long intake waits for a publication; ARGS="500 2000": clauses, agencies
	@$(VENV_PYTHON) -m bench.publishing $(ARGS)

bench-delivery: $(DEV_READY) ## Measure webhooks, beside a bare loop, pgqueuer and procrastinate (some minutes)
	@$(PIP_INSTALL) --require-hashes -r requirements/bench.txt
	@$(VENV_PYTHON) -m bench.delivery $(ARGS)

bench-growth: $(DEV_READY) ## Measure delivery with ten million finished ones behind it (12 GB of disk for a while); ARGS="--deliveries 100000"
	@$(VENV_PYTHON) -m bench.growth $(ARGS)

bench-audit: $(DEV_READY) ## Measure how an audit is linked and verified; ARGS=10000000 says of how many entries
	@$(VENV_PYTHON) -m bench.audit $(ARGS)

bench-privacy: $(DEV_READY) ## Measure what sealing and the audit cost an intake (some minutes); ARGS="--pairs 5"
	@$(VENV_PYTHON) -m bench.privacy $(ARGS)

bench-signals: $(DEV_READY) ## Measure what metrics and traces cost an intake (some minutes); ARGS="--rounds 5"
	@$(VENV_PYTHON) -m bench.signals $(ARGS)

check-alerts: $(DEV_READY) ## Check the alerts, fire each of them, and the main ones by a running Lintas (needs prometheus and promtool)
	@command -v promtool >/dev/null && command -v prometheus >/dev/null || \
		{ echo "make check-alerts needs promtool and prometheus: on Debian and Ubuntu the package prometheus." >&2; exit 1; }
	@$(VENV_PYTHON) -m pytest tests/watching/test_files.py tests/watching/test_prometheus.py

clients: $(DEV_READY) ## Make clients in Python, TypeScript and PHP from openapi.json, and drive each; ARGS="--only python" chooses
	@$(VENV_PYTHON) -m openapi.clients $(ARGS)

clients-lock: $(DEV_READY) ## Lock what the clients are made with, with hashes and without addresses
	@for language in python php; do \
		$(LOCK) openapi/clients/$$language/requirements.in -o openapi/clients/$$language/requirements.txt $(ARGS) || exit 1; \
	done
	@cd openapi/clients/typescript && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

BUILDER ?= $(shell command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1 && echo docker || echo podman)
IMAGE ?= localhost/lintas:$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
BASE_IMAGE := $(shell sed -n 's/^ARG PYTHON_IMAGE=//p' Dockerfile)

# The tag of the base is looked up, and the image is built from what it stands for at this moment and says so.
image: ## Build the image that serves, works and migrates (docker or podman); BUILDER=podman IMAGE=registry.example/lintas:1
	@command -v $(firstword $(BUILDER)) >/dev/null || { echo "make image needs docker or podman." >&2; exit 1; }
	@$(BUILDER) pull $(BASE_IMAGE)
	@base=$$($(BUILDER) image inspect --format '{{index .RepoDigests 0}}' $(BASE_IMAGE)) && \
		echo "Building $(IMAGE) from $$base" && \
		$(BUILDER) build --build-arg PYTHON_IMAGE=$$base --label org.opencontainers.image.base.name=$$base -t $(IMAGE) .

try-image: $(DEV_READY) ## Migrate, serve and work from IMAGE, with nothing it may write to, on a database of their own
	@command -v $(firstword $(BUILDER)) >/dev/null || { echo "make try-image needs docker or podman, and IMAGE (make image)." >&2; exit 1; }
	@$(VENV_PYTHON) -m deploy.try_image "$(BUILDER)" $(IMAGE) $(ARGS)

lint-deploy: $(DEV_READY) ## Check Dockerfile, compose.yaml and the manifests of Kubernetes by their linters and schemas
	@$(PIP_INSTALL) --require-hashes -r deploy/requirements.txt
	@$(VENV_PYTHON) -m deploy.check

lint-deploy-lock: $(DEV_READY) ## Lock what deploy/ is checked with, with hashes and without addresses
	@$(LOCK) deploy/requirements.in -c requirements/dev.txt -o deploy/requirements.txt $(ARGS)

clean: ## Remove the environment and all caches; .lintas/ and its data stay
	@rm -rf .venv .clients .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@rm -rf examples/receivers/node/node_modules openapi/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ---

$(RUN_READY):
	@$(call make_environment)
	@$(call install,run,to run)
	@rm -f .venv/.run-* && touch $@

# dev.txt holds all of run.txt with the same versions, so this serves `make run` too.
$(DEV_READY):
	@$(call make_environment)
	@$(call install,dev,to run and to develop)
	@rm -f .venv/.run-* .venv/.dev-* && touch $@ $(RUN_READY)

define make_environment
fit='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'; \
if ! $(VENV_PYTHON) -c "import pip; $$fit" 2>/dev/null; then \
	for python in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11 none; do \
		"$$python" -c "$$fit" 2>/dev/null && break; \
	done; \
	if [ "$$python" = none ]; then \
		echo "Lintas needs Python 3.11 or newer with venv (on Debian and Ubuntu the package python3-venv)," >&2; \
		echo "and neither $(PYTHON) nor python3.11 to python3.14 is that: name one by make PYTHON=..." >&2; \
		exit 1; \
	fi; \
	echo "Making .venv with $$("$$python" --version)"; \
	"$$python" -m venv --clear .venv; \
fi
endef

# The dots say that pip, which is told to be quiet, is still at it.
define install
printf 'Installing what Lintas needs $(2), %s packages ' "$$(grep -c == requirements/$(1).txt)"; \
( while sleep 2; do printf .; done ) & dots=$$!; trap 'kill $$dots 2>/dev/null' EXIT; \
$(PIP_INSTALL) --require-hashes -r requirements/$(1).txt && \
$(PIP_INSTALL) --no-deps --no-build-isolation -e . && \
echo ' done'
endef
