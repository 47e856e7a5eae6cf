.PHONY: demo test lint clean
.DEFAULT_GOAL := demo

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: $(READY)
	$(BIN)/forecast run -c configs/stockport.yaml --output demo

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The kernels run without compilation first, so that branch coverage sees inside them.
test: lint
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest tests/engine --cov --cov-report= --cov-fail-under=0
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-append --cov-report=term

clean:
	rm -rf $(VENV) demo
