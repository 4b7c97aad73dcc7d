# Everything that a person or CI does here. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
WORKERS ?= 3
BENCH ?= pipeline exactly_once gateway queries profiles codec

.PHONY: help
help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

.PHONY: venv
venv:  ## Make the virtual environment, with the tools for development
	@$(PYTHON) devstack/bootstrap.py dev

.PHONY: kafka
kafka: venv  ## Fetch Kafka's jars (with Java 17 or newer, and Maven)
	@$(BIN)/python -m devstack fetch

.PHONY: run
run:  ## Bring up the whole system on this machine; Ctrl-C ends it
	@$(PYTHON) devstack/bootstrap.py local
	@exec $(BIN)/python -m devstack run

.PHONY: run-monitoring
run-monitoring:  ## Watch what `make run` has started: Prometheus, and Grafana where it is found; Ctrl-C ends it
	@$(PYTHON) devstack/bootstrap.py local
	@exec $(BIN)/python -m devstack run-monitoring

.PHONY: simulate
simulate:  ## Send the test stream to the running system and judge its answers; RATE=1000 TAGS=60000 SEED=1 TARGET=http://...
	@$(PYTHON) devstack/bootstrap.py local
	@$(BIN)/python -m simulator $(if $(RATE),--rate $(RATE)) $(if $(TAGS),--tags $(TAGS)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(TARGET),--target $(TARGET))

.PHONY: clean-state
clean-state:  ## Forget the data, logs and password of `make run`
	@$(PYTHON) devstack/bootstrap.py local
	@$(BIN)/python -m devstack clean-state

.PHONY: test
test: venv  ## Run the tests; TESTS=tests/unit for a part of them
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(TESTS)

.PHONY: test-faults
test-faults: kafka  ## Kill, freeze and cut off real processes: nothing lost, nothing doubled; SEED=7 SIZE=short REPORT=file
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(SIZE),--size $(SIZE)) \
	  $(if $(REPORT),--report $(REPORT))

.PHONY: test-alerts
test-alerts: kafka  ## Break the system on this machine and see each alert raised, mend it and see it resolved; ONLY="name ..."
	@$(BIN)/python -m tests.alerts $(if $(ONLY),--only $(ONLY))

.PHONY: test-stack
test-stack: venv  ## Deploy, upgrade and break the stacks on a swarm of this machine, as root; ONLY="traffic update" REPORT=file
	@$(BIN)/python -m tests.stacks.swarm $(if $(ONLY),--only $(ONLY)) $(if $(REPORT),--report $(REPORT))

.PHONY: test-backup
test-backup: kafka  ## Take backups, lose the whole cluster, restore it; wants haproxy, etcd and openssl, fetches pgBackRest
	PGBACKREST=$$($(BIN)/python -m tests.support.pgbackrest) $(BIN)/pytest tests/integration/operations/test_backup.py

.PHONY: test-aerospike
test-aerospike: venv  ## Run the tests that need a real Aerospike cluster; AEROSPIKE_HOSTS=127.0.0.1:3000 names it
	@: $${AEROSPIKE_HOSTS:?names no cluster: AEROSPIKE_HOSTS=127.0.0.1:3000 AEROSPIKE_NAMESPACE=test make test-aerospike}
	$(BIN)/pytest -m aerospike $(TESTS)

.PHONY: bench
bench: kafka  ## Measure what the README claims; BENCH=queries for a part of it
	@for name in $(BENCH); do echo "== bench.$$name"; $(BIN)/python -m bench.$$name; done

.PHONY: lock
lock:  ## Renew the locked dependencies; needs uv (pip install uv)
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml -o requirements.lock
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra local -c requirements.lock pyproject.toml -o requirements-local.lock
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra dev -c requirements-local.lock pyproject.toml -o requirements-dev.lock
	for part in requirements requirements-build; do \
	  uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	    services/postgres/$$part.in -o services/postgres/$$part.lock; done
	uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  tests/support/s3/requirements.in -o tests/support/s3/requirements.lock

.PHONY: lint
lint: venv  ## Check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: venv  ## Format the code, and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: check
check: lint kafka test  ## All that CI checks
