# `make` lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
RUN := .venv/bin/python -m
EXCHANGE ?= sandbox
PORT ?= 8321
ARGS ?=
QUERY ?= SHOW TABLES

.PHONY: help setup setup-dev demo ui sql sandbox cluster test test-fast fresh lint format bench soak lock env doctor audit stop clean

help:  ## list the commands
	@echo "make COMMAND, where COMMAND is:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready .local/airflow/ready  ## install everything needed to run: system packages (as root), .venv, Airflow's home in .local

setup-dev: setup .venv/ready-dev  ## the same, and what tests, lint and benchmarks need

demo: setup  ## run every DAG once on data that ends today, and show the results; EXCHANGE=sandbox, prod or demo
	@$(RUN) scripts.demo --exchange $(EXCHANGE)

ui: setup  ## run Airflow's web UI with DAGs, pages and connections ready; EXCHANGE as for demo
	@$(RUN) scripts.ui --exchange $(EXCHANGE)

# The query travels as an environment variable, unexpanded: neither make nor a shell reads its $, quotes or backticks.
unexport QUERY
sql: export KALSHI_QUERY = $(value QUERY)
sql: setup  ## run a query on the demo's warehouse: make sql QUERY="SELECT COUNT(*) FROM kalshi_market"
	@$(RUN) scripts.sql --exchange $(EXCHANGE)

sandbox: .venv/ready  ## run the local exchange on PORT (8321) in the foreground, in real time; ARGS such as --series 1000
	@$(RUN) sandbox --port $(PORT) $(ARGS)

cluster: setup  ## run three MySQL servers in Group Replication behind a MySQL Router, and print their connection (Debian)
	@$(RUN) scripts.mysql_cluster start

test: setup-dev lint  ## run lint, then all tests; ARGS is passed to pytest
	@$(RUN) pytest --numprocesses logical --maxprocesses 4 --dist worksteal $(ARGS)

test-fast: .venv/ready-dev  ## run the tests that need no server, no Airflow home and no browser, within a minute
	@$(RUN) pytest -q -m fast $(ARGS)

fresh:  ## try plain make and the README's first command in a minimal Debian root (as root); ARGS=--help for options
	@scripts/system_packages.sh fresh
	@scripts/fresh_machine.sh $(ARGS)

lint: .venv/ready-dev  ## run ruff and mypy, check docker-compose.yaml's schema and that the packages are compatible
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet . || { echo "Not formatted: make format"; exit 1; }
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yaml
	@.venv/bin/uv pip check --quiet --python .venv/bin/python
	@echo "ruff and mypy: all clean"

format: .venv/ready-dev  ## format the code, and let ruff fix what it can
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format --quiet .

.PHONY: docs
docs: setup-dev  ## write the generated parts of README and docs/: tables, DAGs, settings, rules, commands
	@AIRFLOW__LOGGING__LOGGING_LEVEL=WARNING $(RUN) scripts.docs

bench: setup-dev .local/bench/ready  ## measure speed, as ratios to a reference measured in the same run
	@$(RUN) scripts.bench $(ARGS)

soak: setup  ## run all DAGs on schedule for a simulated hour and measure what grows; ARGS such as --speed 3
	@$(RUN) scripts.soak $(ARGS)

doctor: setup  ## check everything a run depends on, with this shell's connections; EXCHANGE as for demo
	@$(RUN) scripts.doctor --exchange $(EXCHANGE)

env:  ## write .env for docker-compose.yaml, with generated secrets
	@$(PYTHON) scripts/env_file.py

audit: .venv/ready-dev  ## list known vulnerabilities of the locked packages; not part of lint, as it queries a public service
	@.venv/bin/uv tool run --quiet pip-audit --strict --progress-spinner off --disable-pip --no-deps \
	  $(foreach name,requirements requirements-celery,--requirement $(name).txt)

lock: .venv/ready-dev  ## lock the requirements again from requirements*.in
	@for name in requirements requirements-celery requirements-dev requirements-bench; do .venv/bin/uv pip compile --quiet --python-version 3.11 \
	  --no-annotate --no-header --upgrade $$name.in $$([ $$name != requirements ] || echo pyproject.toml) --output-file $$name.txt; done

stop:  ## stop the web UI, the private server, the cluster and the sandbox; the data is kept
	@if [ -x .venv/bin/python ]; then $(RUN) scripts.backends stop && $(RUN) scripts.mysql_cluster stop; fi

clean: stop  ## stop them, then remove everything generated: .venv, reports, and .local with the private warehouse
	@rm -rf .venv .local reports .mypy_cache .ruff_cache .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Choose another: make PYTHON=/path/to/python3.11"; exit 1; }
	@PYTHON=$(PYTHON) scripts/system_packages.sh run
	@$(PYTHON) -m venv .venv

.venv/ready: requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing the Python packages into .venv …"
	@scripts/install_packages.sh -r requirements.txt
	@scripts/install_packages.sh --no-deps --editable .
	@touch $@

.venv/ready-dev: requirements-dev.txt | .venv/ready
	@PYTHON=$(PYTHON) scripts/system_packages.sh test
	@echo "Installing packages for tests and lint …"
	@scripts/install_packages.sh -r requirements-dev.txt
	@touch $@

.local/bench/ready: requirements-bench.txt | .venv/ready-dev
	@.venv/bin/uv venv --quiet --clear --python .venv/bin/python $(@D)
	@.venv/bin/uv pip install --quiet --python $(@D)/bin/python -r $<
	@touch $@

.local/airflow/ready: .venv/ready scripts/airflow_home.py
	@echo "Preparing Airflow's home in .local/airflow …"
	@$(RUN) scripts.airflow_home
	@touch $@
