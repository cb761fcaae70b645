# Everything a fresh machine needs is set up by `make install`, which the other targets call; a second call starts at once.
# The environment lives in .venv and is renewed when pyproject.toml or constraints.txt change.  Its bytecode is made once: where
# Python is told not to write any, each process would spend two seconds on that of pandas and SciPy.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
TORCH := .venv/torch-ready
NEWER := .venv/newer
JS := src/tegum/lab/js
TSC := .venv/js/node_modules/.bin/tsc

.PHONY: help install reproduce experiment test newer page-test lint javascript unit compiled fuzz chaos bench pictures docs clean

help:
	@echo "make reproduce   rebuild the paper's figures and those beyond it and check their claims (quick profile), say where the page is;"
	@echo "                 the paper's alone: tegum reproduce"
	@echo "make experiment NAME=my-idea   start an experiment of your own: one file, my_idea.py"
	@echo "make docs        build the documentation in build/docs"
	@echo "make test        every check: lint, types, import directions, tests"
	@echo "make page-test   open the page in results/ in Chromium: every figure draws, nothing is asked of the network"
	@echo "make lint        ruff, mypy, import-linter; the lab's JavaScript by TypeScript, where Node is there"
	@echo "make fuzz        every public call, field, command line, setting and file with what nobody should give, counted (minutes)"
	@echo "make chaos       long calls stopped at random moments and at every write, clusters too, counted (hours)"
	@echo "make newer       the tests of what depends on Python's version, under Python 3.13, where it is installed"
	@echo "make bench       race the training engine against the usual PyTorch loop (installs PyTorch), for each set of instructions;"
	@echo "                 beside another version: make bench AGAINST=COMMIT"
	@echo "make pictures    render the README's pictures anew (needs Chromium)"
	@echo "make install     only set up .venv"
	@echo "make clean       remove .venv and everything built; results stay"

install: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tegum needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraints constraints.txt --group dev --editable .
	@$(BIN)/python -m compileall -q src
	@touch $(READY)

# A claim that fails (exit code 1) is a result; it does not fail the command.
reproduce: $(READY)
	@$(BIN)/tegum reproduce paper beyond --profile quick --out results || test $$? -eq 1

experiment: $(READY)
	@test -n "$(NAME)" || { echo "give it a name: make experiment NAME=my-idea"; exit 2; }
	@$(BIN)/tegum experiment $(NAME)

# Types of the lab's JavaScript, where Node is there; without TypeScript its syntax alone.
javascript: $(READY)
	@command -v node > .venv/node.log || { echo "javascript: there is no Node here, the lab's modules are not checked"; exit 0; }; \
	test -x $(TSC) || npm install --silent --no-audit --no-fund --prefix .venv/js typescript@7.0.2 > .venv/npm.log 2>&1 || true; \
	if test -x $(TSC); then $(TSC) -p $(JS)/jsconfig.json; else \
		echo "javascript: TypeScript cannot be installed here, syntax alone is checked"; \
		for file in $(JS)/*.js; do node --check $$file || exit 1; done; \
	fi

lint: $(READY) javascript
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
	@echo "lint: clean"

# Neighbours in a file share what they compute: each worker takes half of the files in order, and later what the other has left.
# Each has one core, so matrix products have one thread.
unit: $(READY)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

compiled: $(READY)
	@$(BIN)/tegum doctor > .venv/doctor.log || { cat .venv/doctor.log; exit 1; }
	@$(BIN)/python -m tests.compiled

# The engines are compiled, once and not by both workers, while types and a newer Python are looked at on the other core.
test: $(READY)
	@$(MAKE) --no-print-directory -j 2 compiled lint newer
	@$(MAKE) --no-print-directory unit

# Python 3.13 is looked for on the path, among pyenv's and among uv's; where it is none of these, nothing is tested.
newer: $(READY)
	@for found in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13 $$HOME/.local/share/uv/python/cpython-3.13*/bin/python3.13; do \
		$$found -c '' 2>/dev/null && break; found=; \
	done; \
	test -n "$$found" || { echo "newer: there is no Python 3.13 here, nothing is tested with it"; exit 0; }; \
	test -x $(NEWER)/bin/python || $$found -m venv $(NEWER) || exit 2; \
	$(BIN)/uv pip install --quiet --python $(NEWER)/bin/python --constraints constraints.txt --group dev --editable . && \
	$(NEWER)/bin/python -m pytest tests/unit/test_start.py

fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz --attempts 4000

chaos: $(READY)
	@$(BIN)/python -m tests.fuzz.chaos --interrupts 500
	@$(BIN)/python -m tests.fuzz.chaos --writes
	@$(BIN)/python -m tests.fuzz.race
	@$(BIN)/python -m tests.fuzz.clusters
	@$(BIN)/python -m tests.fuzz.hosts

page-test: $(READY)
	@$(BIN)/python -m pytest tests/browser -m any_page --results results

$(TORCH): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@touch $(TORCH)

bench: $(TORCH)
	@$(BIN)/python -m benchmarks $(if $(AGAINST),--against $(AGAINST))

pictures: $(READY)
	@$(BIN)/python docs/make_pictures.py

docs: $(READY)
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs 2> .venv/docs.log || { cat .venv/docs.log; exit 1; }
	@echo "open build/docs/index.html"

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
