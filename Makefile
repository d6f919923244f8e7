# `make` prints this list. Every setting of the bridge passes through, both ways:
#     PORT=9090 make run          make run MODE=normal
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUFF_CONFIG := --config tests/ruff.toml
PYTHON_CODE = $(wildcard signal_bridge tests bench .ci) deploy/install-signal-cli

# An empty variable counts as not set, so this is harmless before `make signal-cli`.
BRIDGE_SIGNAL_CLI ?= $(wildcard $(CURDIR)/.signal-cli/bin/signal-cli)
export BRIDGE_SIGNAL_CLI

# What has to be there before anything can be installed; each is one sentence that says what to do.
define CAN_INSTALL
import sys
if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed, and this is %d.%d: make PYTHON=python3.11 ..." % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv), then make again")
endef
export CAN_INSTALL

# Succeeds where extensions of Python can be built: its compiler and its headers are there.
define CAN_COMPILE
import os, shlex, shutil, sys, sysconfig
compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(not (shutil.which(compiler) and os.path.exists(header)))
endef
export CAN_COMPILE

.PHONY: help
help:  ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/installed $(VENV)/fast  ## serve on 127.0.0.1:8080, on the sandbox unless MODE says otherwise
	@test "$(or $(MODE),sandbox)" != sandbox || { \
		$(BIN)/python -m signal_bridge.sandbox.banner && \
		echo 'For a real account: a current signal-cli (deploy/README.rst), then `make run MODE=normal` and /v1/qrcodelink.'; \
	}
	@MODE="$(or $(MODE),sandbox)" exec $(BIN)/signal-bridge serve

.PHONY: signal-cli
signal-cli: $(BIN)/python  ## install the real signal-cli and a Java runtime into .signal-cli/
	@$(BIN)/python deploy/install-signal-cli .signal-cli

.PHONY: test
test: $(VENV)/installed-test  ## run every test; ARGS='-k word' narrows it down
	$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

.PHONY: coverage
coverage: $(VENV)/installed-test  ## the same, and how much of the package they reach; it is slower
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n 4 --dist loadfile $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

.PHONY: e2e
e2e: $(VENV)/installed-test signal-cli  ## test the real signal-cli against a mock of Signal's service
	$(BIN)/python -m tests.e2e.parts
	$(BIN)/python -m pytest tests/e2e $(ARGS)

.PHONY: lint
lint: $(VENV)/installed-test  ## ruff, mypy and the import rule
	$(BIN)/ruff check $(RUFF_CONFIG) $(PYTHON_CODE)
	$(BIN)/ruff format --check $(RUFF_CONFIG) $(PYTHON_CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

.PHONY: bench
bench: $(VENV)/installed-test  ## measure against the budgets; ARGS='--growth', '--hostile', '--kills' or '--soak 60' for one part
	$(BIN)/python -m bench $(ARGS)

.PHONY: clean
clean:  ## remove everything that make installed or built
	rm -rf $(VENV) .signal-cli .e2e build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file says what is installed: again only when what to install has changed.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo 'There is no $(PYTHON): install Python 3.11 or newer, or name it: make PYTHON=...' >&2; exit 1; }
	@$(PYTHON) -c "$$CAN_INSTALL"
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/installed: setup.cfg deploy/constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c deploy/constraints.txt -e .
	@touch $@

# Tried once, and only where it can be built; without it Gunicorn parses requests in Python.
$(VENV)/fast: setup.cfg deploy/constraints.txt | $(VENV)/installed
	@if $(BIN)/python -c "$$CAN_COMPILE"; then \
		$(BIN)/python -m pip install --quiet -c deploy/constraints.txt -e '.[fast]' >/dev/null 2>&1 || true; \
	else \
		echo "Without a C compiler and Python's headers (Debian: gcc python3-dev) requests are parsed in Python, which works."; \
	fi
	@touch $@

$(VENV)/installed-test: setup.cfg deploy/constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c deploy/constraints.txt -e '.[test]'
	@touch $@ $(VENV)/installed
