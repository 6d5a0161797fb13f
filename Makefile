# `make` alone lists what there is. Everything runs from .venv, which the first target that needs it makes.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PYTHONUTF8 := 1

.PHONY: help install demo run test test-kill test-peers test-browser test-deploy pictures check words bench lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

install: .venv/installed ## make .venv from the hash lock

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Jura needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## three collectives on this machine reach a joint decision (Ctrl-C stops it)
	$(BIN)/jura demo

run: install ## one real instance on this machine, in ./data
	$(BIN)/jura run

test: install ## the test suite (SQLite, and PostgreSQL where its programs are)
	$(BIN)/python -m pytest -q --numprocesses auto --dist loadfile --no-loadscope-reorder

test-kill: install ## kill -9 over and over: JURA_TEST_ROUNDS=10 times each on both databases (a minute a round)
	JURA_TEST_ROUNDS=$${JURA_TEST_ROUNDS:-10} $(BIN)/python -m pytest -q tests/federation/test_kill.py

test-peers: install .peers/installed ## an instance and real servers made of Fedify and bovine, over HTTPS (needs Node 20 or newer)
	$(BIN)/python -m pytest -q tests/peers/test_bovine.py tests/peers/live_fedify.py

.peers/installed: tests/peers/fedify/package.json tests/peers/fedify/package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1 || \
		{ echo "make test-peers needs Node 20 or newer with npm: install those (make test runs the part that needs neither)."; exit 1; }
	@mkdir -p .peers
	cp tests/peers/fedify/package.json tests/peers/fedify/package-lock.json .peers/
	cd .peers && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

CHROMIUM ?= /usr/bin/chromium
export CHROMIUM

test-browser: .venv/browser ## people's journeys and every page in a real browser, pictures in shots/ (needs Debian's chromium)
	$(BIN)/python -m pytest -q tests/browser/live_journeys.py tests/browser/live_updates.py tests/browser/live_pages.py

test-deploy: install ## the examples of deploy/, run: an instance behind nginx and behind Caddy (Debian's, those that are installed)
	$(BIN)/python -m pytest -q tests/deploy/test_examples.py tests/deploy/live_proxies.py

pictures: .venv/browser ## take the pictures of docs/guide again, from running instances (needs Debian's chromium)
	$(BIN)/python -m tests.browser.pictures

.venv/browser: .venv/installed tests/browser/requirements.lock
	@test -x $(CHROMIUM) || { echo "make test-browser needs Chromium at $(CHROMIUM): apt-get install chromium, or say CHROMIUM=where it is."; exit 1; }
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r tests/browser/requirements.lock
	@touch $@

fuzz: install ## rubbish at inbox, headers, WebFinger and codec: JURA_TEST_EXAMPLES=2000 times each
	JURA_TEST_EXAMPLES=$${JURA_TEST_EXAMPLES:-2000} $(BIN)/python -m pytest -q tests/fuzz

check: install ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

words: install ## bring the catalogues in server/locale up to date with the texts of code and templates
	$(BIN)/python -m tests.words

bench: install ## measures, each a ratio against its limit
	$(BIN)/python -m bench

lock: ## resolve pyproject.toml into requirements.lock, with hashes
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/python -m pip install --quiet uv
	.venv/lock/bin/uv pip compile --quiet --upgrade --python-version 3.11 --universal --extra dev --generate-hashes \
		--no-header pyproject.toml --output-file requirements.lock
	.venv/lock/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["browser"], sep="\n")' \
		| .venv/lock/bin/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header --no-annotate \
		--constraint requirements.lock - --output-file tests/browser/requirements.lock

clean: ## remove what the other targets made (not ./data)
	rm -rf .venv .demo .peers build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis shots
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
