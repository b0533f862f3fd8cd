# Thin: each target makes .venv from requirements.txt when it is missing or out of date, then calls one tool.
# Every path is relative, and tools are called as modules, so that a folder name with a space does no harm.

PYTHON ?= python3
PORT ?= 8000
PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help book site-is-current site-zip epub pdf bundle otter test notebooks notebook exercises results serve requirements lint bench clean

help:
	@echo "make book            build the site from the stored outputs: _build/html/index.html"
	@echo "make site-zip        pack the site to be read without a network: _build/nonlinear-site-VERSION.zip"
	@echo "make epub            the book for e-readers: _build/nonlinear.epub (needs Chromium)"
	@echo "make pdf             the book on paper: _build/nonlinear.pdf (needs Chromium; some minutes)"
	@echo "make bundle          the notebooks for a class: _build/nonlinear-notebooks.zip"
	@echo "make otter           the exercises as assignments of otter-grader: _build/otter/"
	@echo "make test            run everything: lint, tests, notebooks, strict build, browser"
	@echo "make notebooks       execute every chapter and solution, write the twins and the exercises"
	@echo "make notebook NAME=16-dead-neurons     the same for one of them"
	@echo "make exercises       derive the student notebooks from solutions/"
	@echo "make results NAME=...                  run a large experiment again and store its numbers"
	@echo "make serve           show the built site on http://127.0.0.1:$(PORT)/"
	@echo "make requirements    compile requirements.txt from requirements.in (UPGRADE=--upgrade renews the rest)"
	@echo "make lint            ruff"
	@echo "make bench           measure speed and memory, as ratios (some minutes, on an idle machine)"
	@echo "make clean           remove what was built (.venv stays)"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo "Python 3.10 or newer is needed, $(PYTHON) is older; name another: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
	    { echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv --clear .venv

# The stamps are older than the pins after a `git pull` that changed them: then pip runs again.
.venv/site.stamp: requirements.in requirements.txt | .venv/bin/python
	@echo "Installing what renders the site into .venv ..."
	@sed -n '/^# == site/,/^# == compute/p' requirements.in > .venv/site.txt
	@$(PIP) --requirement .venv/site.txt --constraint requirements.txt
	@touch $@

.venv/compute.stamp: requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing torch and all the rest into .venv (large; some minutes) ..."
	@$(PIP) --requirement requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ .venv/site.stamp

# From an empty _build: Sphinx does not read an unchanged page again, and would call a broken one fine.
book: .venv/site.stamp
	@rm -rf _build
	@$(PY) -c "from jupyter_book.cli.main import main; main()" build . -W -n --keep-going --quiet
	@echo "The book is built. Open _build/html/index.html, or run: make serve"

# Built again only when a source is newer than the site.
site-is-current: .venv/compute.stamp
	@test -e _build/html/index.html \
	    && test -z "$$(find book labs tools assets _templates _config.yml _toc.yml -name __pycache__ -prune \
	        -o -type f -newer _build/html/index.html -print)" || $(MAKE) --no-print-directory book

site-zip: site-is-current
	@$(PY) -m tools.site_zip

epub pdf: site-is-current
	@$(PY) -m tools.$@

bundle: .venv/compute.stamp
	@$(PY) -m tools.bundle

otter: .venv/compute.stamp
	@$(PY) -m tools.otter

test: .venv/compute.stamp
	@$(PY) -m tools.check

notebooks: .venv/compute.stamp
	@$(PY) -m tools.notebooks
	@$(PY) -m tools.exercises

notebook: .venv/compute.stamp
	@test -n "$(NAME)" || { echo "Which one? make notebook NAME=16-dead-neurons"; exit 1; }
	@$(PY) -m tools.notebooks "$(NAME)"
	@test ! -e "solutions/$(NAME).md" || $(PY) -m tools.exercises "$(NAME)"

exercises: .venv/compute.stamp
	@$(PY) -m tools.exercises

results: .venv/compute.stamp
	@$(PY) -m labs.experiments $(NAME)

serve: .venv/site.stamp
	@test -e _build/html/index.html || $(MAKE) --no-print-directory book
	@echo "Reading on http://127.0.0.1:$(PORT)/ (end with Ctrl-C)"
	@$(PY) -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

requirements: .venv/compute.stamp
	@$(PIP) uv
	@$(PY) -m tools.requirements $(UPGRADE)
	@$(PIP) --requirement requirements.txt
	@$(PY) -m tools.licences

lint: .venv/compute.stamp
	@$(PY) -m ruff check .

bench: .venv/compute.stamp
	@$(PY) -m benchmarks $(NAME)

clean:
	rm -rf _build .pytest_cache .ruff_cache .coverage
	find book exercises labs solutions tests tools -name __pycache__ -prune -exec rm -rf {} +
