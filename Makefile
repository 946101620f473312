# Everything is one command. On a fresh Debian 12 machine `make demo` and `make test` first install
# what they miss: system packages (as root) and a virtual environment in .venv.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup system demo demo-cluster test unit etcd lab lab-director lab-cluster lab-demo lab-debian build frozen executable guests deb image manual lint format types bench bench-quick beside clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup: .venv/ready ## make .venv with clusterf in it
	@echo "ready: $(BIN)/clusterf --help"

.venv/ready: pyproject.toml packaging/setup/constraints.txt
	$(PYTHON) -m venv .venv 2>/dev/null || { packaging/setup/system.sh && $(PYTHON) -m venv .venv; }
	$(BIN)/pip install --quiet --disable-pip-version-check -c packaging/setup/constraints.txt -e '.[dev]'
	@touch $@

system: ## install the system packages that the lab, the demo and the benchmarks need (root)
	@packaging/setup/system.sh

demo: system setup ## real containers behind a real IPVS kernel, followed as they come and go
	$(BIN)/python -m tests.demo

demo-cluster: system setup ## the same with two tiers: two Docker hosts, a director, and etcd between them
	$(BIN)/python -m tests.demo.cluster

# Most of the lab's time is waiting, so parts of it run beside each other; the longest come first.
test: system setup lint types ## run everything, the lab included
	@echo "Tests run in eight parts, four at a time; each is shown when it is over, in 5 minutes or more."
	@$(MAKE) --no-print-directory --output-sync=target --keep-going --jobs=4 guests executable lab-director lab-cluster etcd unit lab-demo lab-debian

unit: setup ## run the tests that need neither a kernel nor etcd
	$(BIN)/python -m pytest -m 'not lab and not frozen' --ignore=tests/etcd

etcd: setup ## run the tests with an etcd, which they start on loopback
	$(BIN)/python -m pytest -m 'not lab' tests/etcd

lab: lab-director lab-cluster lab-demo lab-debian ## run the tests that need a real IPVS kernel

CLUSTER := tests/lab/cluster tests/lab/two_tiers tests/lab/test_local.py
DEMO := tests/lab/test_demo.py
# What neither the host nor user-mode Linux may have, in Debian's kernel under QEMU.
DEBIAN := tests/lab/test_debian.py

# In the host's kernel, or in user-mode Linux where that has no IPVS.
lab-director: system setup
	$(BIN)/python -m pytest -m lab $(addprefix --ignore=,$(CLUSTER) $(DEMO) $(DEBIAN))

lab-cluster: system setup
	$(BIN)/python -m pytest -m lab $(CLUSTER)

lab-demo: system setup
	$(BIN)/python -m pytest $(DEMO)

lab-debian: system setup
	$(BIN)/python -m pytest $(DEBIAN)

lint: setup ## ruff and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## mypy, strict
	$(BIN)/mypy clusterf plugins

bench: system setup ## measure against ipvsadm, pyroute2 and C on an exact clock (about half an hour)
	$(BIN)/python -m tests.bench

bench-quick: system setup ## the same up to 11,000 entries in user-mode Linux, two minutes
	$(BIN)/python -m tests.bench --quick

beside: system setup ## measure the executable beside keepalived, HAProxy and Caddy (to be installed before)
	PYTHONPATH=packaging:.:plugins $(BIN)/python -m tests.bench.beside

# -P: what lies in the current directory is nothing to import.
build: system setup ## freeze clusterf: dist/clusterf, dist/clusterf-folder and the list of their parts
	PYTHONPATH=packaging:.:plugins $(BIN)/python -P -m freeze

deb: build ## the same as a Debian package: dist/clusterf_VERSION_ARCHITECTURE.deb
	packaging/debian/build

image: build ## the same as an image for containers: clusterf:VERSION, clusterf:latest
	packaging/container/build

frozen: build ## make the executable and test it, and what it is installed with
	@$(MAKE) --no-print-directory executable guests

GUESTS := $(addprefix tests/frozen/,appliance systemd debian container)

# Both make the executable themselves where it is older than what it is made of.
executable: system setup
	$(BIN)/python -m pytest -m frozen tests/frozen $(addprefix --ignore=,$(GUESTS))

guests: system setup
	$(BIN)/python -m pytest -m frozen $(GUESTS)

manual: setup ## write man pages and completion scripts to build/share, as they lie in /usr/share
	PYTHONPATH=packaging:.:plugins $(BIN)/python -P -m manual

clean: ## remove what the other commands made, but the virtual environment
	rm -rf build dist .hypothesis .mypy_cache .ruff_cache .pytest_cache *.egg-info
