# Two commands: make demo, make test. Everything else they need, they do.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test check setup setup-dev clean

demo: setup
	@$(BIN)/python manage.py demo $(ARGS)

test: setup-dev
	@$(BIN)/python -m tests.install_browser
	@$(BIN)/python -m tests.check
	@$(BIN)/python -m pytest -n 2 --dist loadscope $(ARGS)

check: setup-dev
	@$(BIN)/python -m tests.check

setup: $(VENV)/.runtime
setup-dev: $(VENV)/.dev

$(VENV)/.runtime: requirements.txt setup_venv.sh
	@PYTHON=$(PYTHON) sh ./setup_venv.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt setup_venv.sh
	@PYTHON=$(PYTHON) sh ./setup_venv.sh $(VENV) requirements-dev.txt
	@touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
