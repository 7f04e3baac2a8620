# Every target sets itself up: a fresh machine needs make and Python 3.11 or newer, nothing else.

VENV  := .venv
PY    := $(VENV)/bin/python
PIP   := $(PY) -m pip install -q --disable-pip-version-check
READY := $(VENV)/.ready

# The first interpreter that really runs (a pyenv shim may not), is new enough and can make an environment.
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,python3.12 python3.11 python3,$(shell $(p) -c '$(USABLE)' 2>/dev/null && echo $(p))))

# Linux without a working NVIDIA driver gets the CPU build. The +cpu is spelled out so that pip can never
# settle for the plain wheel of the same version, which brings gigabytes of CUDA with it.
TORCH_CPU := torch==2.13.0+cpu
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

# What was read in training: with six texts that are fetched, and for most of the stories with the Bible twice as often.
TEXTS  := runs/texts
EIGHT  := --background kjv pydoc $(TEXTS)/*.txt
NINE   := --background kjv kjv pydoc $(TEXTS)/*.txt
PLACES := --backbone runs/rmt-minilm $(EIGHT)

.DEFAULT_GOAL := help
.PHONY: help env app labs test lint train eval bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

env: $(READY) ## make .venv from pyproject.toml

$(READY): pyproject.toml
	@$(PY) -c '$(USABLE)' 2>/dev/null || "$(PYTHON)" -c '$(USABLE)' 2>/dev/null || { \
		echo "No usable Python found: install Python 3.11 or 3.12 with its venv module" \
			"(Debian, Ubuntu: apt install python3-venv), or name one: make env PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PY) -c '$(USABLE)' 2>/dev/null || "$(PYTHON)" -m venv --clear $(VENV)
	@echo "Installing into $(VENV): a few minutes, once."
	@if [ "$$(uname)" = Linux ] && ! nvidia-smi >/dev/null 2>&1; then \
		$(PIP) --retries 1 --timeout 15 --extra-index-url $(TORCH_CPU_INDEX) $(TORCH_CPU) || { \
			echo "No CPU build of torch could be had: check the network and run make again," \
				"or accept any build, CUDA included: make env TORCH_CPU=torch" >&2; exit 1; }; \
	fi
	@$(PIP) -e '.[dev]'
	@touch $@

app: env ## start the demo in the browser
	$(PY) app.py

labs: env ## open the lessons in JupyterLab
	$(PY) -m jupyter lab labs

# Two processes with a thread each: tiny models gain nothing from a second thread. The lessons, which take longest, first.
test: env ## run the fast tests, and the lessons in fast mode
	HF_HUB_OFFLINE=1 RMT_FAST=1 OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile \
		--no-loadscope-reorder --nbmake --nbmake-timeout=600 $(wildcard labs) tests

lint: env ## check style and formatting
	$(PY) -m ruff check
	$(PY) -m ruff format --check

# The recipes of the shipped checkpoints, one after the other, on the texts that those read; what is finished is not
# trained again. On 2 CPU cores rmt-minilm took 14 hours, rmt-places 1.5 and rmt-stories, a process on each core, 7.5
# (see their model cards).
train: env $(TEXTS)/lists.txt ## train as checkpoints/ were trained, into runs/: 23 hours on 2 CPU cores
	$(PY) -m rmt_demo train --recipe open --out runs/first
	$(PY) -m rmt_demo train --recipe more --init runs/first --out runs/more
	$(PY) -m rmt_demo gates --init runs/more --out runs/gated $(EIGHT)
	$(PY) -m rmt_demo train --recipe wider --init runs/gated --out runs/wider $(EIGHT)
	$(PY) -m rmt_demo gates --init runs/wider --out runs/wide $(EIGHT)
	$(PY) -m rmt_demo train --recipe roomy --init runs/wide --out runs/roomy $(EIGHT)
	$(PY) -m rmt_demo gates --init runs/roomy --out runs/taught $(EIGHT)
	$(PY) -m rmt_demo train --recipe further --init runs/taught --out runs/further $(EIGHT)
	$(PY) -m rmt_demo gates --init runs/further --out runs/rmt-minilm $(EIGHT)
	$(PY) -m rmt_demo train --recipe stable $(PLACES) --out runs/stable
	$(PY) -m rmt_demo train --recipe steady $(PLACES) --init runs/stable --seed 1 --out runs/steady
	$(PY) -m rmt_demo train --recipe close $(PLACES) --init runs/steady --seed 2 --out runs/rmt-places
	$(PY) -m rmt_demo train --recipe stories --init runs/rmt-minilm --out runs/stories $(EIGHT)
	$(PY) -m rmt_demo train --recipe sagas --init runs/stories --out runs/sagas $(NINE)
	$(PY) -m rmt_demo train --recipe givers --init runs/sagas --out runs/givers $(NINE)
	$(PY) -m rmt_demo train --recipe pieces --init runs/givers --out runs/pieces $(NINE)
	$(PY) -m rmt_demo train --recipe crowds --init runs/pieces --out runs/crowds $(NINE)
	$(PY) -m rmt_demo train --recipe ages --init runs/crowds --out runs/ages $(NINE)
	$(PY) -m rmt_demo train --recipe retold --init runs/ages --out runs/rmt-stories $(NINE)

$(TEXTS)/lists.txt: | env
	$(PY) benchmarks/texts.py --out $(TEXTS)

eval: env ## measure rmt-minilm and write results/
	$(PY) -m rmt_demo eval --checkpoint checkpoints/rmt-minilm --out results

bench: env ## time reading on this machine
	$(PY) benchmarks/reading.py

clean: ## remove what make and the tools made (.venv too), never runs/ or checkpoints/
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +
