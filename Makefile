# Needs Python 3.11 or newer with venv, a C++ compiler (llama.cpp is built on this machine, for this machine) and make.
#   make run             the whole service      make check     style, types, import contracts
#   make install         what it needs          make format    style, corrected
#   make test            the tests              make bench-X   a benchmark of tests/bench/ (DATA=… N=…)
#   make test-model      with a real model      make venv      what developers need
#   make test-faults     with killed processes  make clean     remove what was installed; data/ stays

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable
# llama.cpp without AMX: GCC 12 miscompiles it (its first prompt ends the process), and it gains little here.
export CMAKE_ARGS := -DCMAKE_C_FLAGS=-U__AMX_INT8__ -DCMAKE_CXX_FLAGS=-U__AMX_INT8__ $(CMAKE_ARGS)
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed

.PHONY: run install venv test test-model test-faults check format clean

run: $(RUNTIME)
	$(BIN)/madoguchi run

install: $(RUNTIME)

venv: $(DEV)

# A file's tests stay together: many share a service or an index.
test: $(DEV)
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test-model: $(DEV)
	$(BIN)/pytest -m model

test-faults: $(DEV)
	$(BIN)/pytest -m faults

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench-%: $(DEV)
	$(BIN)/python -m tests.bench.$(subst -,_,$*) $(if $(DATA),--data "$(DATA)") $(if $(N),-n "$(N)") \
	  $(if $(MODEL),--model "$(MODEL)") $(if $(SEED),--seed "$(SEED)")

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# The stamps are newer than what they were made from, so nothing is installed twice.
$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/pip
	$(INSTALL) '.[dev]'
	@touch $(RUNTIME) $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo '$(PYTHON) is not Python 3.11 or newer. Name one that is: make run PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo '$(PYTHON) comes without venv. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@command -v $${CXX:-c++} >/dev/null || \
	  { echo 'No C++ compiler found. On Debian and Ubuntu: apt-get install g++' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
