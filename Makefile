# `make` lists what can be asked for. Everything happens in .venv, which is made when it is not there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
ARTIFACTS := $(CURDIR)/artifacts

.DEFAULT_GOAL := help
.PHONY: help install demo lab site links test footage lint gpu clean

# Tensors of up to 32 MiB, the most that every glibc allows, come from the heap, and what is free of it stays with the
# process. As glibc has it, the system clears memory anew for each, a quarter of the time of a small training step.
export MALLOC_MMAP_THRESHOLD_ := 33554432
export MALLOC_TRIM_THRESHOLD_ := 1073741824

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s%s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(STAMP)  ## make .venv and install the package, under constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[test]'
	@touch $@

demo: $(STAMP)  ## from nothing to a trained model: data, training, samples in runs/demo/
	$(BIN)/ldvd demo

lab: $(STAMP)  ## open JupyterLab on the course
	$(BIN)/jupyter lab course/00_start_here.ipynb

SPHINX := $(BIN)/python -m sphinx --fail-on-warning --quiet --conf-dir course/site --doctree-dir $(ARTIFACTS)/doctrees course
site: $(STAMP)  ## build the website in artifacts/site, from the notebooks as they are
	$(SPHINX) $(ARTIFACTS)/site

links: $(STAMP)  ## ask every link that leads out of the course whether it still does (needs the internet)
	$(SPHINX) --builder linkcheck $(ARTIFACTS)/links

lint: $(STAMP)  ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Notebooks are tested as they are committed, with a quarter of their training (`course/execute.py` gives them all of it).
# They keep their data and runs out of the reader's own data/ and runs/. The data are made beforehand: two notebooks that
# meet none would both make them. One thread for each of the processes, which else wait for each other. And progress
# bars that seldom move: nbval reads a cell's messages at its end, and on a slow machine too many get lost.
TESTING := LDVD_BUDGET=short LDVD_WORKSPACE=$(ARTIFACTS)/notebooks OMP_NUM_THREADS=1 TQDM_MININTERVAL=5
test: lint footage  ## everything that continuous integration runs
	rm -rf $(ARTIFACTS)/notebooks/runs
	$(TESTING) $(BIN)/python -m pytest --numprocesses auto --dist loadfile --nbval --nbval-current-env \
		--nbval-sanitize-with tests/notebooks/sanitize.cfg --nbval-cell-timeout 600 \
		--durations 10 tests course

footage: $(STAMP)
	$(TESTING) $(BIN)/python -c 'from ldvd_lib.classroom import store; store()'

# Who has a GPU for minutes only does not install first: without .venv, the Python that is there will do.
gpu:  ## all one wants to know of a GPU in ten minutes, into artifacts/gpu (OPTIONS="--minutes 5 --weizmann FOLDER" …)
	$(or $(wildcard $(BIN)/python),$(PYTHON)) benchmarks/gpu.py $(OPTIONS)

clean:  ## remove what tests and builds leave (not .venv, data/ or runs/)
	rm -rf build dist *.egg-info artifacts .pytest_cache .ruff_cache
	find . -name .venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -type d -exec rm -rf {} +
