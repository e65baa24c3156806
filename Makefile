# Everything a person does with this checkout. Each command installs what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
READY := .venv/installed
AT_ONCE := --numprocesses=auto --maxprocesses=4 --dist=loadscope --no-loadscope-reorder

.PHONY: help demo run test deploy-test vep chaos check format lock bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 13

$(READY): requirements-dev.txt dev/install
	@dev/install environment
	@touch $@

demo: $(READY) ## Take a VCF through everything: upload, annotate, mail, archive, subscribe, restore
	@$(PYTHON) -m dev.demo

run: $(READY) ## Run the whole service on this machine and say where it is
	@$(PYTHON) -m dev.run

test: $(READY) ## Run every test, on SQLite and on PostgreSQL, in a real browser
	@dev/install debian
	@$(PYTHON) -m pytest $(AT_ONCE) -m "not deploy"
	@$(PYTHON) -m dev.postgres $(PYTHON) -m pytest $(AT_ONCE) \
		-m "(database or stack) and not in_memory and not deploy" --ignore=tests/browser

deploy-test: $(READY) ## Check all that is deployed: templates, roles, machines, releases, draining
	@dev/install deploy
	@$(PYTHON) -m pytest $(AT_ONCE) tests/deploy

vep: $(READY) ## Run the tests of the second engine, with vepyr in an environment of its own
	@dev/install vep
	@.venv/vep/bin/python -m pytest tests/contract/test_engines.py tests/conformance/test_both_engines.py

chaos: $(READY) ## Play JOBS jobs (1000) through faults that SEED chooses, and check what became of them
	@dev/install debian
	@$(PYTHON) -m dev.chaos --jobs $(or $(JOBS),1000) $(if $(SEED),--seed $(SEED))

check: $(READY) ## Format, lint, layers, types, migrations, deployment
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@PYTHONPATH=client .venv/bin/lint-imports --no-cache
	@.venv/bin/mypy
	@$(PYTHON) manage.py makemigrations --check --dry-run
	@$(PYTHON) -m dev.check_deploy

format: $(READY) ## Format the code
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: $(READY) ## Print the performance ratios
	@$(PYTHON) -m bench.annotate
	@$(PYTHON) -m bench.pipeline
	@$(PYTHON) -m bench.web
	@$(PYTHON) -m bench.results

lock: $(READY) ## Pin and hash what pyproject.toml asks for
	@dev/install lock

clean: ## Remove what the commands made
	@rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
