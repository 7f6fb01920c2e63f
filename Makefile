# Everything happens inside this checkout: environments, caches and Airflow's home. `make clean` removes it all.
# Needed: Python 3.10 to 3.13 and make. The interpreters that are here are used; name another by PYTHON=…

PYTHON ?= python3
PYTEST_ARGS ?=
# Two processes. The tests of a file stay together, because they share an Airflow; the order is that of pyproject.toml.
IN_PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder

export PYTHON
export UV_CACHE_DIR ?= $(CURDIR)/.make/uv-cache
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_CACHE_DIR := 1
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV AIRFLOW_HOME

UV := .make/bin/uv
FIND_PYTHON := sh scripts/find_python.sh
COMPILE := pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header \
	--no-emit-package airflow-provider-collate --extra testing --group test --group e2e --group lint $(UPGRADE)

.PHONY: help setup test coverage test-unit test-3.3 test-2.11 test-floor test-providers test-fleet fleet-sizes e2e e2e-2.11 lint format demo bench matrix matrix-table soak size mutants wheel docs docs-quotes constraints clean

help:
	@echo 'make setup       an environment with Airflow 3.3 in .venv'
	@echo 'make demo        the example DAGs on real Airflow against the sandbox'
	@echo 'make test        lint, then all tests on Airflow 3.3'
	@echo 'make coverage    the same tests, and which lines none of them runs'
	@echo 'make test-unit   the unit tests alone, in two processes'
	@echo 'make test-2.11   all tests on Airflow 2.11 (Python 3.10 to 3.12)'
	@echo 'make test-floor  the unit tests on the lowest versions that are declared (Python 3.10)'
	@echo 'make test-providers  credentials and the pages'\'' commands with the official providers'
	@echo 'make test-fleet  two Celery workers on Redis and PostgreSQL, and one of them killed'
	@echo 'make e2e         Airflow 3.3 in a browser (needs chromium); make e2e-2.11: the same of 2.11'
	@echo 'make matrix      each Airflow on each Python, from the wheel (CELL=3.1-3.12 for one)'
	@echo 'make mutants     test the tests: what can change unnoticed (PART=reconcile, kinds, models or client)'
	@echo 'make lint        ruff, mypy, imports      make format      ruff corrects what it can'
	@echo 'make bench       the benchmarks           make soak        the long tests'
	@echo 'make size        lines against their limits'
	@echo 'make wheel       build and check it       make docs        build the site'
	@echo 'make docs-quotes write examples, tables and the API into the pages'
	@echo 'make constraints pin what is tested       make clean       remove all that make has made'

setup: .venv/.ready

test: lint test-3.3

test-3.3: .venv/.ready
	.venv/bin/python -m pytest $(IN_PARALLEL) $(PYTEST_ARGS)

# Counting lines makes most tests take more than twice as long.
coverage: .venv/.ready
	.venv/bin/python -m pytest $(IN_PARALLEL) --cov $(PYTEST_ARGS)

# Two processes, for a quick look.
test-unit: .venv/.ready
	.venv/bin/python -m pytest $(IN_PARALLEL) tests/unit $(PYTEST_ARGS)

test-2.11: .venv-2.11/.ready
	.venv-2.11/bin/python -m pytest $(IN_PARALLEL) $(PYTEST_ARGS)

# The lowest versions exist for Python 3.10 only in part; where there is no such Python, this says so and is done.
test-floor:
	@if $(FIND_PYTHON) 10 10 >/dev/null; then \
		$(MAKE) --no-print-directory .venv-floor/.ready && .venv-floor/bin/python -m pytest \
			$(IN_PARALLEL) tests/conformance tests/property tests/unit $(PYTEST_ARGS); \
	else echo 'test-floor: skipped, there is no Python 3.10 here'; fi

# COLLATE_SCREENSHOTS=1 takes the pictures in docs/images again.
e2e: .venv/.ready-e2e
	.venv/bin/python -m pytest tests/e2e $(PYTEST_ARGS)

e2e-2.11: .venv-2.11/.ready-e2e
	.venv-2.11/bin/python -m pytest tests/e2e $(PYTEST_ARGS)

# Celery workers, Redis and PostgreSQL (Debian's packages redis-server and postgresql). All of it, with the tests that
# take minutes: make test-fleet PYTEST_ARGS='-m "soak or not soak"'
test-fleet: .venv-fleet/.ready
	.venv-fleet/bin/python -m pytest tests/fleet $(PYTEST_ARGS)

# The table in docs/guides/fleets.md, on a quiet machine.
fleet-sizes: .venv-fleet/.ready
	.venv-fleet/bin/python -m scripts.fleet_sizes

# The providers' own connection forms, and the pages' commands where their types are known; the packages are large, so
# they have an environment of their own.
test-providers: .venv-providers/.ready
	.venv-providers/bin/python -m pytest tests/unit/hooks/test_credentials*.py tests/docs/test_new_user.py $(PYTEST_ARGS)

lint: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo --cache-dir .make/import-linter

format: .venv/.ready
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

demo: .venv/.ready
	.venv/bin/python scripts/demo.py

# All cells, and the table in the README; one or some cells: make matrix CELL=3.1-3.12 or CELL='3.1-*', and then
# make matrix-table. Fewer tests: MATRIX_ARGS='--tests tests/unit/models'.
matrix: .venv/.ready
	.venv/bin/python -m scripts.matrix $(CELL) $(MATRIX_ARGS)

matrix-table: .venv/.ready
	.venv/bin/python -m scripts.matrix_table

# Writes docs/benchmarks.md and its plots, on a quiet machine in half an hour; BENCH_ARGS=--small tries the code. The
# other measurements alone, or one of them: .venv/bin/python -m benchmarks syncing
bench: .venv-bench/.ready
	.venv-bench/bin/python -m benchmarks.page $(BENCH_ARGS)

size: .venv/.ready
	.venv/bin/python -m benchmarks size

soak: .venv/.ready .venv-fleet/.ready
	.venv/bin/python -m pytest -m soak $(PYTEST_ARGS)
	.venv-fleet/bin/python -m pytest tests/fleet -m 'soak or not soak' $(PYTEST_ARGS)

# One part: make mutants PART=reconcile
mutants: .venv/.ready-mutants
	.venv/bin/python scripts/mutants.py $(PART)

wheel: .venv/.ready
	rm -rf dist .venv-wheel
	$(UV) build --quiet --python .venv/bin/python --out-dir dist
	$(UV) tool run --quiet --from 'twine>=6.1' twine check --strict dist/*
	.venv/bin/python scripts/check_wheel.py dist/*
	$(UV) venv --quiet --python .venv/bin/python .venv-wheel
	$(UV) pip install --quiet --python .venv-wheel/bin/python -c constraints/airflow-3.3.txt dist/*.whl
	AIRFLOW_HOME=$(CURDIR)/.airflow/wheel .venv-wheel/bin/python scripts/check_wheel.py --installed
	$(UV) pip install --quiet --python .venv-wheel/bin/python -c constraints/airflow-3.3.txt \
		"airflow-provider-collate[sandbox] @ file://$$(ls $(CURDIR)/dist/*.whl)"
	.venv-wheel/bin/python scripts/check_wheel.py --sandbox

docs: .venv/.ready-docs
	.venv/bin/mkdocs build --strict

docs-quotes: .venv/.ready
	.venv/bin/python scripts/docs_pages.py

# Pins what is new; with UPGRADE=--upgrade all of it again. Airflow 2.11 does not run on Python 3.13: its pins leave that out.
constraints: $(UV)
	@mkdir -p .make/old constraints
	echo 'apache-airflow==3.3.2' > .make/old/new.in
	$(UV) $(COMPILE) pyproject.toml --group docs --group mutants --constraint .make/old/new.in -o constraints/airflow-3.3.txt
	$(UV) $(COMPILE) pyproject.toml --group providers --constraint .make/old/new.in -o constraints/providers.txt
	$(UV) $(COMPILE) pyproject.toml --group fleet --constraint .make/old/new.in -o constraints/fleet.txt
	$(UV) $(COMPILE) pyproject.toml --group bench --constraint .make/old/new.in -o constraints/bench.txt
	cat pyproject.toml > .make/old/pyproject.toml
	echo "[tool.uv]" >> .make/old/pyproject.toml
	echo "environments = [\"python_version < '3.13'\"]" >> .make/old/pyproject.toml
	echo 'apache-airflow==2.11.2' > .make/old/old.in
	$(UV) $(COMPILE) .make/old/pyproject.toml --constraint .make/old/old.in -o constraints/airflow-2.11.txt

clean:
	rm -rf .venv .venv-2.11 .venv-floor .venv-providers .venv-fleet .venv-bench .venv-wheel .make .airflow .demo build dist site htmlcov .coverage \
		.hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv, if it is not here already: from an environment of its own, or beside it where Python has no venv.
$(UV):
	@mkdir -p $(@D)
	@if uv --version >/dev/null 2>&1; then ln -sf "$$(command -v uv)" $@; \
	else python=$$($(FIND_PYTHON) 10 13) || { echo 'Python 3.10 to 3.13 is needed' >&2; exit 1; }; \
		echo 'getting uv'; \
		if "$$python" -m venv .make/tools >/dev/null 2>&1; then \
			.make/tools/bin/python -m pip install --quiet uv && ln -sf ../tools/bin/uv $@; \
		else "$$python" -m pip install --quiet --target .make/tools uv && ln -sf ../tools/bin/uv $@; fi; \
	fi

.venv/.ready: pyproject.toml constraints/airflow-3.3.txt | $(UV)
	@python=$$($(FIND_PYTHON) 10 13) || { echo 'Python 3.10 to 3.13 is needed' >&2; exit 1; }; \
	test -x .venv/bin/python || $(UV) venv --quiet --python "$$python" .venv
	$(UV) pip install --quiet --python .venv/bin/python -c constraints/airflow-3.3.txt -e '.[testing]' --group test --group lint
	@touch $@

.venv/.ready-e2e: .venv/.ready
	$(UV) pip install --quiet --python .venv/bin/python -c constraints/airflow-3.3.txt --group e2e
	@touch $@

.venv-2.11/.ready-e2e: .venv-2.11/.ready
	$(UV) pip install --quiet --python .venv-2.11/bin/python -c constraints/airflow-2.11.txt --group e2e
	@touch $@

.venv-providers/.ready: pyproject.toml constraints/providers.txt | $(UV)
	@python=$$($(FIND_PYTHON) 10 13) || { echo 'Python 3.10 to 3.13 is needed' >&2; exit 1; }; \
	test -x .venv-providers/bin/python || $(UV) venv --quiet --python "$$python" .venv-providers
	$(UV) pip install --quiet --python .venv-providers/bin/python -c constraints/providers.txt \
		-e '.[testing]' --group test --group providers
	@touch $@

.venv-bench/.ready: pyproject.toml constraints/bench.txt | $(UV)
	@python=$$($(FIND_PYTHON) 10 13) || { echo 'Python 3.10 to 3.13 is needed' >&2; exit 1; }; \
	test -x .venv-bench/bin/python || $(UV) venv --quiet --python "$$python" .venv-bench
	$(UV) pip install --quiet --python .venv-bench/bin/python -c constraints/bench.txt -e '.[testing]' --group test --group bench
	@touch $@

.venv-fleet/.ready: pyproject.toml constraints/fleet.txt | $(UV)
	@python=$$($(FIND_PYTHON) 10 13) || { echo 'Python 3.10 to 3.13 is needed' >&2; exit 1; }; \
	test -x .venv-fleet/bin/python || $(UV) venv --quiet --python "$$python" .venv-fleet
	$(UV) pip install --quiet --python .venv-fleet/bin/python -c constraints/fleet.txt -e '.[testing]' --group test --group fleet
	@touch $@

.venv/.ready-mutants: .venv/.ready
	$(UV) pip install --quiet --python .venv/bin/python -c constraints/airflow-3.3.txt --group mutants
	@touch $@

.venv/.ready-docs: .venv/.ready
	$(UV) pip install --quiet --python .venv/bin/python -c constraints/airflow-3.3.txt --group docs
	@touch $@

.venv-2.11/.ready: pyproject.toml constraints/airflow-2.11.txt | $(UV)
	@python=$$($(FIND_PYTHON) 10 12) || \
		{ echo 'Airflow 2.11 does not run on Python 3.13, and there is no Python 3.10 to 3.12 here' >&2; exit 1; }; \
	test -x .venv-2.11/bin/python || $(UV) venv --quiet --python "$$python" .venv-2.11
	$(UV) pip install --quiet --python .venv-2.11/bin/python -c constraints/airflow-2.11.txt -e '.[testing]' --group test
	@touch $@

# Airflow 2.11.0 takes any universal-pathlib, and its ObjectStoragePath works with 0.2 only.
.venv-floor/.ready: pyproject.toml | $(UV)
	test -x .venv-floor/bin/python || $(UV) venv --quiet --python "$$($(FIND_PYTHON) 10 10)" .venv-floor
	$(UV) pip install --quiet --python .venv-floor/bin/python --resolution lowest-direct -e '.[testing]' --group test \
		'universal-pathlib>=0.2.6,<0.3'
	@touch $@
