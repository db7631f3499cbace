# Everything a newcomer types. `make` alone lists it. Works as root and as an ordinary user, in any folder.
.DEFAULT_GOAL := help
.PHONY: help texts bench run test test-loaded test-crash check format story evenings operators-day test-real test-api soak lock docs clean
.DELETE_ON_ERROR:

# Some containers forbid it, and then every process that is started compiles all it imports again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input -q
# Processes that the tests use, a whole file each, since the tests of a file may share a long play. On two cores four are
# faster than two, since nearly half of the time is spent waiting. More words for pytest with `make test ARGS=...`
JOBS ?= 4
ARGS ?=
# What proves the product: not part of it, and not in its wheel.
LAB := $(PY) -m crossdock_lab
PROVE := $(PY) tests/support/proofs.py

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

run: $(VENV)/.runtime ## the whole demo on this machine; FRESH=1 starts over
	@FRESH="$(FRESH)" exec $(VENV)/bin/crossdock run

test: $(VENV)/.dev ## every test but `make test-crash` and those against real vendors' servers; HALF=0 or 1 plays what is played on each platform on every second one
	CROSSDOCK_TEST_HALF=$(HALF) $(PY) tests/suite.py -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not real and not crash" $(ARGS)

test-loaded: $(VENV)/.dev ## the same beside eight processes that keep the machine busy
	$(PY) tests/busy.py 8 $(MAKE) --no-print-directory test

test-crash: $(VENV)/.dev ## kill real processes with -9 at every named point, and look into the ledgers; THIRD=0, 1 or 2 for a third of the points
	CROSSDOCK_TEST_THIRD=$(THIRD) $(PY) tests/suite.py -m crash tests/crash/test_crash.py tests/crash/test_crash_database.py $(ARGS)

check: $(VENV)/.dev ## format, lint, types, import contracts, generated pages fresh
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/crossdock docs --check

format: $(VENV)/.dev ## put the sources into shape
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

story: $(VENV)/.runtime ## play the loop on every platform, one line per fact; BREAK=name plants a bug, EVERY=4 FIRST=1 plays each fourth platform from the second on
	@$(LAB) story $(if $(BREAK),--break $(BREAK)) $(if $(EVERY),--every $(EVERY)) $(if $(FIRST),--first $(FIRST))

evenings: $(VENV)/.dev ## a seller's first evening on every platform in a real Chromium, from sign-up to the first test order; SHOTS=folder keeps a picture of each page
	$(PY) tests/support/first_evening.py $(if $(SHOTS),--shots $(SHOTS))

operators-day: $(VENV)/.dev ## install from the wheel, fill, upgrade, back up, restore, lose database, workers, disk and a certificate, and see each in the metrics; ROWS=1000000 ORDERS=1000 FROM=<commit>
	$(LAB) day $(if $(ROWS),--rows $(ROWS)) $(if $(ORDERS),--orders $(ORDERS)) $(if $(FROM),--from $(FROM))

test-real: $(VENV)/.dev ## install the unmodified servers of the platforms that can be had, and play against them
	$(PY) tests/suite.py -n 2 --dist loadgroup -m real $(wildcard src/crossdock/connectors/*/tests/real) $(ARGS)

test-api: $(VENV)/.dev ## thousands of made-up requests to every documented operation of the API: is each answer one that is documented
	$(LAB) api

soak: $(VENV)/.runtime ## 1,000 orders under faults, every state of the stock protocol, 10,000 seeds, a rush of 10,000 buyers, 100,000 variants reconciled, 1,000 labels, every odd value in every answer, every kill point, every planted bug; ORDERS= SEEDS= BUYERS= MODEL= VARIANTS= LABELS= ODD= MODEL=no THIRD= KILLS=no BUGS=no for less, RECORD=1 keeps the results in docs/proofs.md
	$(PROVE) "the loop" $(LAB) loop --orders $(or $(ORDERS),1000)
	$(if $(filter no,$(MODEL)),,$(PROVE) "the model" $(LAB) model $(or $(MODEL),--all))
	$(PROVE) "the seeds" $(LAB) stock --seeds $(or $(SEEDS),10000)
	$(PROVE) "the rush" $(LAB) rush --buyers $(or $(BUYERS),10000)
	$(PROVE) "the big shop" $(LAB) reconcile --variants $(or $(VARIANTS),100000) $(if $(THIRD),--third $(THIRD))
	$(PROVE) "the labels" $(LAB) labels --labels $(or $(LABELS),1000)
	$(PROVE) "odd values" $(LAB) odd --every $(or $(ODD),1) $(if $(FIRST),--first $(FIRST))
	$(if $(filter no,$(KILLS)),,$(PROVE) "kill points" $(PY) tests/crash/crash_play.py)
	$(if $(filter no,$(BUGS)),,$(PROVE) "planted bugs" $(LAB) story --every-bug)

bench: $(VENV)/.runtime ## what work costs: one JSON line per figure, kept in docs/benchmarks.md; ONLY=order, import, idle, growth or finding for one, ROWS=200000 for another size of finding, AGAINST=<commit> to measure that commit in turns with this one
	$(LAB) bench $(if $(ONLY),--only $(ONLY)) $(if $(ROWS),--rows $(ROWS)) $(if $(AGAINST),--against $(AGAINST))

texts: $(VENV)/.dev ## read the pages' texts out of templates and code into src/crossdock/web/locale; then translate what is empty
	$(PY) tests/support/texts.py

docs: $(VENV)/.runtime ## write the generated pages
	$(VENV)/bin/crossdock docs

lock: $(VENV)/.dev ## pin the newest packages that fit, with their hashes
	$(VENV)/bin/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements/runtime.in -o requirements/runtime.txt
	$(VENV)/bin/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements/extras.in -o requirements/extras.txt
	$(VENV)/bin/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements/dev.in -o requirements/dev.txt
	$(VENV)/bin/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links requirements/fuzz.in -o requirements/fuzz.txt

clean: ## remove what was built; the demo's data stays
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Stamps: what is installed already is not looked at again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Crossdock needs Python 3.11 or newer; name one with make PYTHON=python3.11."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python cannot make virtual environments here; on Debian: apt-get install python3-venv."; exit 1; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(VENV)/.made
	$(PIP) install --require-hashes -r requirements/runtime.txt
	$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
