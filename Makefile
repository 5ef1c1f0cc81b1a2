# The two commands a newcomer needs: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON := .venv/bin/python
PORT ?= 8080

.PHONY: help run test check prove mutation bench openapi synth reset setup setup-tests lock format clean

help: ## lists every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1 — \2/' | sort

run: setup ## starts the whole system on http://127.0.0.1:8080 (PORT=… moves it), with demonstration data
	@exec $(PYTHON) -m infra.local.run --port $(PORT)

test: setup-tests ## sets up what is missing and runs every test
	@exec $(PYTHON) -m pytest -n 2

check: setup-tests ## format, lint, types and the fast tests, in under a minute
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m pytest tests/unit tests/golden tests/properties

prove: setup-tests ## the full counts that the proofs ask for, into benchmarks/results/
	@AVAREZ_PROVE=1 $(PYTHON) -m pytest tests/properties tests/scenarios tests/contract/vehicles/test_tariffs.py tests/contract/books/test_settlements.py tests/unit/figures/test_owed_attack.py tests/simulation/test_drain.py tests/system tests/chaos tests/browser/test_verify_app.py tests/browser/test_every_page.py tests/browser/office
	@$(PYTHON) -m benchmarks.run --full

mutation: setup-tests ## mutants of the rules of money, and the few that no test notices
	@$(PYTHON) tests/mutation/run.py

bench: setup-tests ## benchmarks, as medians and ratios, into benchmarks/results/
	@$(PYTHON) -m benchmarks.run

openapi: setup-tests ## writes the OpenAPI document anew, from the code and from what tests see
	@AVAREZ_ANSWERS=record $(PYTHON) -m pytest -q tests/contract tests/unit/certificates tests/unit/payments tests/system
	@$(PYTHON) -m infra.openapi

synth: setup ## the CloudFormation template for the cloud, into cdk.out/
	@$(PYTHON) -m infra.synth --target cloud --out cdk.out

reset: setup ## deletes the local data, after asking
	@$(PYTHON) -m infra.local.reset

setup: ## installs what `make run` needs into .venv, .engine and node_modules
	@infra/setup.sh run

setup-tests: ## installs what `make test` needs besides: Chromium, poppler, zbar, PHP and Mono
	@infra/setup.sh test

lock: setup ## resolves the lock files anew from pyproject.toml
	@infra/lock.sh

format: setup ## formats the code
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix-only --quiet .

clean: ## removes what was built; the data and the virtual environments stay
	@rm -rf .build cdk.out .mypy_cache .ruff_cache .hypothesis
