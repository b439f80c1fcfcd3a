# Each target works alone on a fresh Debian 12 or 13 with git, make and Python 3.11 to 3.13: it installs what it needs and says so.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Everything runs with the tools of .venv and this checkout's settings, wherever make was called from.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# One language for messages, and UTF-8, which Ansible insists on.
export LC_ALL := C.UTF-8

.PHONY: help setup demo demo-down test lint unit integration molecule bench grid clean

help: ## this list
	@awk -F ' *:.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with the pinned requirements, install Debian's redis-server and zstd
	@tests/tools/setup.sh

demo: setup ## three nodes and three Sentinels as processes on this machine: group "demo" of env=dev
	ansible-playbook playbooks/site.yml -e env=dev

demo-down: setup ## stop and remove what demo made
	ansible-playbook playbooks/dev_down.yml

test: setup ## lint, unit, integration and all molecule scenarios; stops at the first that fails
	@tests/tools/steps.sh lint unit integration molecule

lint: setup ## all static checks; ONLY=name runs one
	@python tests/tools/lint.py $(ONLY)

unit: setup ## pure code by tables and properties, and the lists that must agree
	@pytest -q -n auto tests/unit tests/metadata

integration: setup ## modules against real processes, with the newest and the oldest redis-py
	@tests/tools/integration.sh

molecule: setup ## playbooks on hosts with systemd (needs root or Docker); SCENARIO=name runs one
	@tests/tools/molecule.sh $(SCENARIO)

bench: setup ## how long runs take, as ratios
	@python -m tests.bench

grid: setup ## repeat the measurements behind the tables of medians, kill runs at every task (long)
	@python -m tests.bench --grid
	@CUT_OFF=all pytest -q tests/integration/test_interrupted.py
	@ROUNDS=5 MEGABYTES=1024 pytest -q -s tests/integration/test_redis_switchover.py -k "there_and_back or large"
	@python tests/tools/grid.py docs/operations/failure_modes.md
	@python tests/tools/grid.py docs/operations/clients.md

clean: ## remove .venv and all caches of this checkout
	rm -rf .venv .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
