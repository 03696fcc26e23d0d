# Two commands: `make demo` plays a service day, `make test` checks everything. Both set up alone.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: demo test coverage check setup bench system lock words wheel clean

demo: setup
	$(BIN)/duifu demo $(if $(ONCE),--once) $(if $(SEED),--seed $(SEED))

test: setup system check
	$(BIN)/python -m pytest -q $(ARGS)

# The same tests, slower, and which lines they reach.
coverage: setup system
	$(BIN)/coverage run -m pytest -q $(ARGS)
	$(BIN)/coverage report

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(STAMP)

$(STAMP): deploy/locks/dev.txt pyproject.toml deploy/setup.sh
	@PYTHON=$(PYTHON) bash deploy/setup.sh
	@touch $@

# The peers that `python -m benchmarks.NAME` measures against.
bench: setup
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/locks/bench.txt

# What only the tests need: a browser, fonts, a second broker, a second database.
system:
	@bash deploy/system.sh

lock: setup
	bash deploy/lock.sh

words: setup
	bash deploy/words.sh

# For a Pi: docs/pi.md.
wheel: setup
	rm -rf build # what was built before would go into the package again
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf .venv var build dist *.egg-info
