# `make demo` and `make test` set up all they need on a fresh Debian 12 or Raspberry Pi OS.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/runner
# root, or sudo: measuring inside a memory cgroup needs it, and so does apt
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
TOOLS := wrk openssh-server openssh-client iproute2 nghttp2-client strace redis-tools redis-server \
  sysbench fio iperf3 zsh fish

BOARD_TOOLS := qemu-system-arm qemu-utils mmdebstrap qemu-user-static binfmt-support arch-test e2fsprogs openssh-client
LAB_TOOLS := slurmctld slurmd slurm-client munge
BOARD_PROGRAMS := qemu-system-aarch64 qemu-img mmdebstrap qemu-aarch64-static update-binfmts arch-test mke2fs ssh

.PHONY: docs docs-published docs-tables test-site demo test test-attack test-slow test-all test-board test-lab lab-tools smoke-board board-image board-tools check setup tools bench schema docs-picture reproduce clean

demo: $(VENV)/.installed
	$(SUDO) $(RUN) apply experiments/quickstart.yaml

# files side by side, in the order of their folders: what shares the machine is told apart in tests/workers.py
JOBS ?= 2
SIDE_BY_SIDE := -n $(JOBS) --dist loadgroup --no-loadscope-reorder

test: $(VENV)/.dev tools .cache/crate-validator
	$(SUDO) $(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not board and not site and not lab" \
	  --ignore=tests/attack $(AGAIN)

# exit 5 is pytest's for "no test": there may be no slow one
test-slow: $(VENV)/.dev tools
	$(SUDO) $(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) -m "slow and not board and not site and not lab" \
	  $(AGAIN) || [ $$? = 5 ]

# hostile specs, hosts, users and journals: 20 points a kind, all of them with FULL=1
test-attack: $(VENV)/.dev tools
	$(SUDO) env FULL=$(FULL) $(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) tests/attack $(AGAIN)

test-all: $(VENV)/.dev tools .cache/crate-validator
	$(SUDO) $(VENV)/bin/python -m pytest -m "not board and not site and not lab"

# the image of the virtual Arm board, where there is none (about 6 minutes, once)
board-image: $(VENV)/.dev board-tools
	$(SUDO) $(RUN) board build

test-board: tools board-image
	$(SUDO) $(VENV)/bin/python -m pytest -m board tests/board $(BOARD)

# a quick look: a board is built and boots, keeps a limit on both cgroup versions, and
# is put back (about 8 minutes, 6 of them for the image)
smoke-board: tools board-image
	$(SUDO) $(VENV)/bin/python -m pytest -m board tests/board/test_board.py tests/board/test_converge.py \
	  -k "facts or snapshot or limit_is_kept"

# the site in a real browser: Debian's Chromium, driven by Playwright
test-site: $(VENV)/.dev
	@command -v chromium >/dev/null || { echo "installing for the site: chromium"; $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
	$(VENV)/bin/python -m pytest -m site tests/site $(AGAIN)

# a real Slurm and munge of Debian's, with four boards behind them, while parts of it are killed
test-lab: $(VENV)/.dev tools lab-tools
	$(SUDO) $(VENV)/bin/python -m pytest -m lab tests/lab $(AGAIN)

# their services stay as the package leaves them: the tests start daemons of their own
lab-tools:
	@missing=; for tool in slurmctld slurmd sbatch munged; do \
	  PATH=$$PATH:/usr/sbin:/sbin command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "installing for the queue:$$missing"; \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(LAB_TOOLS) >/dev/null; fi

board-tools:
	@missing=; for tool in $(BOARD_PROGRAMS); do \
	  PATH=$$PATH:/usr/sbin:/sbin command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "installing for the virtual board:$$missing"; \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(BOARD_TOOLS) >/dev/null; fi

check: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m tools.house

setup: $(VENV)/.dev tools

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV) || \
	  { echo "python3-venv is missing: sudo apt install python3-venv"; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(VENV)/bin/python -m compileall -q runner  # started thousands of times, also where nothing may write bytecode
	touch $@

# the field's validator of RO-Crates, which wants older packages than our checks do
.cache/crate-validator:
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check 'roc-validator>=0.13,<1' || { rm -rf $@; exit 1; }

# what the tests run for real; the demo needs none of it (wrk comes as a package of its spec)
tools:
	@missing=; for tool in wrk sshd ssh ip h2load strace redis-cli redis-server sysbench fio iperf3 zsh fish; do \
	  PATH=$$PATH:/usr/sbin:/sbin command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "installing for the tests:$$missing"; \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(TOOLS) >/dev/null; fi

# Every experiment with a committed run, those of the article and those of docs/how-to, one after the other;
# quick ones first, about an hour on two cores. One that is done is not run again (its mark is in $(DONE)); `make reproduce` after
# an interruption goes on with the next, and `make $(DONE)/NAME` runs one.
DONE := .cache/reproduced
EXPERIMENTS := statements-not-testable build-trimming-arm64 c-levels two-commands memstats-vs-rss leak-isolation \
  redis-durability sqlite-journal nginx-access-log arrivals \
  pool-retention stack-shrink page-tables readmemstats-cost memory-map quickstart \
  nethttp-vs-fasthttp huge-pages certificate-rotation store-and-forward prometheus-watermark \
  gc-threshold max-connections-32mb wrk-as-printed nethttp-vs-fasthttp-load build-trimming \
  stepped-load max-connections-32mb-search max-connections-32mb-kept \
  memory-for-90-connections heap-atlas

reproduce: $(EXPERIMENTS:%=$(DONE)/%)
	$(RUN) claims

# 1 says that a required verdict failed: that is a result
define MEASURE
	$(SUDO) $(RUN) apply --wait --trust $< || [ $$? = 1 ]
	@mkdir -p $(@D) && touch $@
endef
$(DONE)/%: experiments/%.yaml $(VENV)/.installed
	$(MEASURE)
$(DONE)/%: experiments/published/go-under-32mb/%.yaml $(VENV)/.installed
	$(MEASURE)

# each writes its results.md; converge takes about half an hour, most of it Ansible's
bench: $(VENV)/.dev tools benchmarks/.cache/tools
	for name in startup pipeline trials sampler observer converge; do \
	  $(SUDO) $(VENV)/bin/python -m benchmarks.$$name.run || exit; done

# what converge is compared with
benchmarks/.cache/tools:
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check ansible-core pyinfra || { rm -rf $@; exit 1; }

# the floors of docs/architecture.md, drawn from the import graph
docs-picture: $(VENV)/.dev
	$(VENV)/bin/python -m tools.picture

# build/docs: the documentation with the pages of all recorded runs, every link of it followed
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --strict
	$(RUN) site --out build/docs/runs
	$(VENV)/bin/python -m tools.docs build/docs
	$(VENV)/bin/python -m tools.commands

# the tables that follow from the code
docs-published: $(VENV)/.dev
	$(VENV)/bin/python -m tools.published

docs-tables: $(VENV)/.dev
	$(VENV)/bin/python -m tools.tables

schema: $(VENV)/.installed
	$(RUN) schema > schemas/experiment.schema.json

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
