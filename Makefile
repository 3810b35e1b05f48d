# The one list of habits. `make demo` and `make test` do everything on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin
# As pyproject.toml and runner/browser/driver/event_waits.py have it.
OLDEST := 1.65.0
WEB := runner/page/agent reports/web/frontend reports/codegen/frontend
BUILT := pyproject.toml hatch_build.py $(foreach one,$(WEB),$(wildcard $(one)/*.js* $(one)/src/*.js $(one)/src/*/*.js))
MADE := runner/page/agent.js runner/page/axe.js runner/page/replay.js runner/page/trace.js \
	$(foreach one,agent clicks replay trace,reports/collector/$(one).js) \
	reports/web/static/*.js reports/web/static/vendor.css reports/web/static/replayer.css reports/codegen/rebuilding.js

# The tests start Python hundreds of times: without bytecode on disk, each start would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test thorough quick oldest lint types format docs schema grafana pictures site bench constraints image release clean
help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=python3.x")'
	$(PYTHON) -m venv .venv || { sh .ci/packages python3-venv && $(PYTHON) -m venv .venv; }

.venv/demo: .venv/bin/python $(BUILT)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo,serve,sourcemaps]'
	@# Also where PYTHONDONTWRITEBYTECODE is set: each start would compile everything again.
	$(BIN)/python -m compileall -q runner reports journeys
	@touch $@

.venv/dev: .venv/bin/python $(BUILT)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@# Also where PYTHONDONTWRITEBYTECODE is set: each start would compile everything again.
	$(BIN)/python -m compileall -q runner reports journeys
	@touch $@ .venv/demo

demo: .venv/demo ## Run the four journeys on the built-in shop; on a terminal, then serve the dashboard
	@sh .ci/packages --wanted chromium-headless-shell prometheus-pushgateway
	$(BIN)/journey install
	@# Where nobody watches (CI, a pipe), it ends by itself and says how to see the dashboard.
	@if [ -t 1 ] && [ -z "$${CI:-}" ]; then set -- --serve; fi; echo "$(BIN)/journey demo $$*"; $(BIN)/journey demo "$$@"

PARTS := chromium chromium-headless-shell prometheus prometheus-alertmanager prometheus-pushgateway postgresql redis-server openssl xvfb zsh fish git curl sqlite3

test: .venv/dev ## Lint, types, import contracts, and the tests with real parts
	@sh .ci/packages $(PARTS)
	$(MAKE) --no-print-directory lint types
	@# Most tests wait for a clock or a process: four at a time keep two cores busy.
	$(BIN)/python -m pytest -n 4 --dist worksteal -m 'not thorough'

thorough: .venv/dev ## What `make test` leaves out: docs/ typed, real sites walked, harm done again and again, many examples
	@sh .ci/packages $(PARTS)
	@# Tests that want to see a proxy, a client's certificate, a mail, or another engine than Chromium are skipped without them.
	@sh .ci/packages --wanted squid nginx haproxy dovecot-imapd libnss3-tools rabbitmq-server firefox-esr webkit2gtk-driver
	$(BIN)/python -m pytest -n 4 --dist worksteal -m 'thorough or hypothesis' --hypothesis-profile many

quick: .venv/dev ## The short tests without a browser, a database server or real time; within about a minute
	@# Servers are waited for here and there: three at a time keep two cores busy.
	$(BIN)/python -m pytest -n 3 --dist worksteal -m 'not browser and not postgres and not real_time and not thorough and not long' --hypothesis-profile quick

oldest: .venv/dev ## The waits and the clock with the oldest Playwright that is supported
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv/oldest 'playwright==$(OLDEST)'
	PYTHONPATH=.venv/oldest $(BIN)/python -m pytest -n 2 tests/runner/browser tests/runner/page

lint: .venv/dev ## Style and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/dev ## Strict types
	$(BIN)/mypy

format: .venv/dev ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/dev ## Write docs/commands.md from the program
	$(BIN)/python -m typer runner.cli.all_commands utils docs --name journey --title Commands --output docs/commands.md

schema: .venv/dev ## Write the tables of a new SQLite file from the migrations
	$(BIN)/python -m runner.store.migrations.write_new_file

grafana: .venv/dev ## Write the dashboards and alert rules of reports/grafana from their definition
	$(BIN)/python -m reports.grafana.definition.write

pictures: .venv/dev ## Make docs/images again: the demo and a smoke check, photographed; three minutes
	@sh .ci/packages chromium-headless-shell
	$(BIN)/python docs/pictures.py

site: .venv/dev ## Write the documentation as a site to build/site, and check its links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: .venv/dev ## Fidelity, cost and scale, each beside a reference; about an hour
	@sh .ci/packages chromium chromium-headless-shell mediawiki php-cli php-sqlite3 php-mbstring php-xml postgresql prometheus rabbitmq-server redis-server wrk xvfb
	$(BIN)/python -m benchmarks.fidelity
	$(BIN)/python -m benchmarks.restless
	$(BIN)/python -m benchmarks.real_pages
	$(BIN)/python -m benchmarks.waits
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.artifacts
	$(BIN)/python -m benchmarks.redaction
	$(BIN)/python -m benchmarks.schedule
	$(BIN)/python -m benchmarks.checks
	$(BIN)/python -m benchmarks.dispatch
	$(BIN)/python -m benchmarks.dispatch_day
	$(BIN)/python -m benchmarks.decisions
	$(BIN)/python -m benchmarks.pictures
	$(BIN)/python -m benchmarks.agreement
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.agent
	$(BIN)/python -m benchmarks.collector
	$(BIN)/python -m benchmarks.hostile
	$(BIN)/python -m benchmarks.views
	$(BIN)/python -m benchmarks.replay
	$(BIN)/python -m benchmarks.from_session

constraints: ## Pin what images, CI and releases install, with hashes; needs uv
	@sh .ci/constrain

image: ## Build the container's image, run the demo in it confined, and list what is in it
	@.ci/image

release: .venv/dev ## Build and check dist/: wheel, source distribution, bill of materials, checksums
	$(BIN)/python .ci/bundled.py
	@.ci/release

clean: ## Remove what was built
	rm -rf .venv $(MADE) $(addsuffix /node_modules,$(WEB))
