# Every verb sets itself up: a fresh machine needs Python 3.11 or newer, and make. `make help` lists the verbs.

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PYTEST_ARGS ?=
BENCH_ARGS ?=
ADDRESS ?= 127.0.0.1
PORT ?= 8000
PROJECTS := pyproject.toml compat/dagshub/pyproject.toml

# mkdocs-material's notice about the future of mkdocs is no news to who builds the docs.
export NO_MKDOCS_2_WARNING := 1

# pip itself must not be led elsewhere by what the environment of the caller holds for another project.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_REQUIRE_VIRTUALENV PIP_TARGET PIP_USER

.DEFAULT_GOAL := help
.PHONY: help demo test test-quick lint fmt bench docs serve clean

help: ## Explain every verb
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-demo ## From 1,797 image files in git to a trained classifier, in about ten seconds
	@$(BIN)/pathlake demo

test: $(VENV)/.installed-dev ## Run the whole test suite (PYTEST_ARGS="-k query -n 2" to choose)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

test-quick: $(VENV)/.installed-dev ## Run the tests that take seconds
	@$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev ## Check style, formatting, types, layers, and that the docs build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet --site-dir build/site

fmt: $(VENV)/.installed-dev ## Format the code and mend what ruff can mend by itself
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-bench ## Measure against other tools on this machine (BENCH_ARGS="--rows 100000")
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

docs: $(VENV)/.installed-dev ## Build the documentation into site/ (strict: a dead link is an error)
	$(BIN)/mkdocs build --strict

serve: $(VENV)/.installed-demo ## Serve an engine for others on this machine (PORT=8000)
	@$(BIN)/pathlake serve --host $(ADDRESS) --port $(PORT)

clean: ## Delete what the other verbs made, the virtual environment included
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A command of the right name may be too old, or a shim that leads nowhere: each candidate is asked for its version.
$(VENV)/.made:
	@for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Pathlake needs Python 3.11 or newer; none was found among python3.11, python3.12, python3.13 and python3." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; \
	fi; \
	if [ ! -x $(BIN)/python ]; then \
	  echo "Making $(VENV) with $$("$$python" -V)"; \
	  "$$python" -m venv $(VENV) || { \
	    rm -rf $(VENV); \
	    echo "$$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	fi
	@touch $@

$(VENV)/.installed-demo: $(VENV)/.made $(PROJECTS) constraints.txt
	@echo "Installing Pathlake and what the demo needs into $(VENV)"
	@$(PIP) install -c constraints.txt -e '.[demo]' -e compat/dagshub
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made $(PROJECTS) constraints.txt
	@echo "Installing Pathlake and its development tools into $(VENV)"
	@$(PIP) install -c constraints.txt -e '.[dev]' -e compat/dagshub
	@touch $@ $(VENV)/.installed-demo

$(VENV)/.installed-bench: $(VENV)/.made $(PROJECTS) constraints.txt
	@echo "Installing Pathlake and the tools it is measured against into $(VENV)"
	@$(PIP) install -c constraints.txt -e '.[bench]' -e compat/dagshub
	@touch $@
