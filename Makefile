# Everything that a person runs here. `make demo` and `make test` set up what they need, and say what they do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
TOOLS := $(VENV)/tools
LAB ?= demo
EXTRAS := test,bundle
APT := DEBIAN_FRONTEND=noninteractive apt-get --yes

# Runs a command whose words matter only where it fails: pip warns of things that are meant.
quietly = { said=$$(mktemp); $(1) >"$$said" 2>&1 && rm "$$said" || { cat "$$said" >&2; rm "$$said"; exit 1; }; }

# Hundreds of short runs of the program would each compile all of it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-down test lint unit scripts bundle apiserver cluster health-matrix health-quiet chaos cloudnative-pg bench data release clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-15s %s\n", $$1, $$2}'

# One cluster of the lab, or the current context of the kubeconfig that the command line names.
demo: $(READY) ## Bring a kubeadm cluster up (or take KUBECONFIG=FILE) and show what runs where on it
# Findings (exit code 3) are something to show, not a failure of the demonstration.
ifeq ($(origin KUBECONFIG),command line)
	KUBECONFIG=$(KUBECONFIG) $(BIN)/kubectl-admin skew || [ $$? -eq 3 ]
else
	@echo "demo: a cluster of one control plane and one worker; the first time, Kubernetes is built from source"
	$(BIN)/python -m tests.lab up $(LAB)
	@echo "demo: kubectl admin skew"
	@KUBECONFIG=$$($(BIN)/python -m tests.lab kubeconfig $(LAB)) $(BIN)/kubectl-admin skew || [ $$? -eq 3 ]
	@echo
	@echo "demo: the cluster stays up: export KUBECONFIG=$$($(BIN)/python -m tests.lab kubeconfig $(LAB))"
	@echo "demo: make demo-down takes it away"
endif

demo-down: $(READY) ## Take the demo's cluster away
	$(BIN)/python -m tests.lab down $(LAB)

test: lint unit scripts bundle apiserver cluster ## Run all tests, the quick ones first

lint: $(READY) $(TOOLS)
	@echo "test 1/6: ruff, mypy, import contracts, shellcheck"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@shellcheck -x -P SCRIPTDIR -s sh kubectl_admin/*/scripts/*.sh

# One process more than processors: many of these tests wait for programs that they have started.
# Where no timeout of Python's can end a test, its process is ended and says where it stood.
QUICK := -n 3 --durations=15 --durations-min=1 -o faulthandler_timeout=240 -o faulthandler_exit_on_timeout=true

# Each of these tiers runs one of its files alone with FILE=tests/unit/test_docs.py (or a directory, or FILE::TEST).
unit: $(READY) $(TOOLS) ## Run the tests that need no cluster, or those of one FILE=…
	@echo "test 2/6: unit tests, no cluster"
	@$(BIN)/python -m pytest $(QUICK) $(or $(FILE),tests/unit)

scripts: $(READY) $(TOOLS)
	@echo "test 3/6: the scripts that run on nodes, with dash and busybox"
	@$(BIN)/python -m pytest $(QUICK) $(or $(FILE),tests/scripts)

bundle: $(READY)
	@echo "test 4/6: the archive for Krew, built and installed"
	@$(BIN)/python -m pytest $(or $(FILE),tests/bundle)

apiserver: $(READY)
	@echo "test 5/6: a real API server with etcd, no kubelet; built from source the first time"
	@$(BIN)/python -m tests.lab build 1.36
	@$(BIN)/python -m pytest -n 2 --dist loadfile --durations=15 --durations-min=1 $(or $(FILE),tests/apiserver)

# Two clusters at a time, whose files tests/cluster/conftest.py shares out; one FILE=… is run on a lab that stays up.
cluster: $(READY) ## Run the tests on real nodes, or those of one FILE=… on a lab that is kept
	@echo "test 6/6: real kubeadm clusters; built from source the first time"
	@$(BIN)/python -m tests.lab build
ifdef FILE
	@KUBECTL_ADMIN_LAB_KEEP=1 $(BIN)/python -m pytest -v $(FILE)
else
	@$(BIN)/python -m pytest -v -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 \
	  --durations=40 --durations-min=5 tests/cluster
endif

# Labs of their own, which are taken away in the end.
health-matrix: $(READY) ## Break a cluster in every way and see that health names each (not part of `make test`: an hour)
	@$(BIN)/python -m tests.lab build 1.36
	@$(BIN)/python -m tests.lab up matrix --control-planes 3 --version 1.36
	@$(BIN)/python -m tests.cluster.health matrix $(CASES); ended=$$?; $(BIN)/python -m tests.lab down matrix; exit $$ended

health-quiet: $(READY) ## Look 50 times at a whole cluster of each minor: nothing may be found (not part of `make test`)
	@$(BIN)/python -m tests.lab build
	@for minor in 1.36 1.37; do \
	  $(BIN)/python -m tests.lab up quiet --control-planes 3 --version $$minor && \
	  $(BIN)/python -m tests.cluster.health.quiet quiet; ended=$$?; $(BIN)/python -m tests.lab down quiet; \
	  [ $$ended -eq 0 ] || exit $$ended; \
	done

chaos: $(READY) ## Break restores of etcd in every way, at every moment (not part of `make test`: three hours)
	@$(BIN)/python -m tests.lab build 1.36
	@$(BIN)/python -m tests.lab up chaos --control-planes 3 --version 1.36
	@$(BIN)/python -m tests.cluster.restore chaos $(CASES) --seed $(or $(SEED),0) --record docs/lab.md; ended=$$?; $(BIN)/python -m tests.lab down chaos; exit $$ended

cloudnative-pg: $(READY) ## Drain the primary of a real CloudNativePG (not part of `make test`: 15 minutes at first)
	@$(BIN)/python -m tests.lab build 1.36
	@$(BIN)/python -m pytest -s tests/operators

bench: $(READY) ## Measure speed and memory against kubectl, as ratios (docs/performance.md)
	$(BIN)/python -m benchmarks.exec_throughput
	$(BIN)/python -m benchmarks.skew_scale
	$(BIN)/python -m benchmarks.snapshot_verify
	$(BIN)/python -m benchmarks.backup_verify
	$(BIN)/python -m benchmarks.etcd_diff
	$(BIN)/python -m benchmarks.etcd_snapshot
	$(BIN)/python -m benchmarks.drain_many
	$(BIN)/python -m benchmarks.certs_table
	$(BIN)/python -m benchmarks.drain_upgrade
	$(BIN)/python -m benchmarks.health
	$(BIN)/python -m benchmarks.etcd_restore
	$(BIN)/python -m benchmarks.etcd_open
	$(BIN)/python -m benchmarks.etcd_undelete

data: $(READY) ## Make kubectl_admin/data/removed.json again, from upstream (docs/lab.md)
	$(BIN)/python -m tools.removed_table

release: $(READY) ## Build the archive and the manifest for Krew into dist/ (URL=…, HOMEPAGE=…)
	$(BIN)/python krew/build.py $(if $(URL),--url $(URL)) $(if $(HOMEPAGE),--homepage $(HOMEPAGE))

clean: ## Remove what was made in this folder; the lab's cache outside of it stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Debian's Python comes without venv; everything else comes from PyPI.
$(READY): setup.cfg pyproject.toml
	@echo "setup: a virtual environment in $(VENV)"
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(call quietly,$(APT) update) && $(call quietly,$(APT) install python3-venv); }
	@$(PYTHON) -m venv $(VENV)
	@$(call quietly,$(BIN)/pip install --disable-pip-version-check --upgrade pip setuptools)
	@$(call quietly,$(BIN)/pip install --disable-pip-version-check --editable '.[$(EXTRAS)]')
	@touch $@

# The scripts that run on nodes are checked by the first, and tried with the programs of the others.
$(TOOLS): $(READY)
	@for tool in shellcheck busybox zstd age; do command -v $$tool >/dev/null || missing=yes; done; \
	[ -z "$$missing" ] || { \
	  echo "setup: shellcheck, busybox, zstd and age, as packages of Debian"; \
	  $(call quietly,$(APT) update) && $(call quietly,$(APT) install shellcheck busybox zstd age); }
	@touch $@
