# Two commands on a bare machine: `make audit` and `make test`. Needs python3 >= 3.11 with venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
SPARK := .venv-spark
OUT := out
CODE := audit pipelines reports sample_data tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help setup audit sample test test-all test-spark check fmt lint types rules docs bench requirements clean

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "需要 Python 3.11 或更高版本。 Python 3.11 or later is needed."; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "缺少 venv（Debian: apt install python3-venv）。 The venv module is missing."; exit 2; }
	@echo "第一次运行：建立环境，约一两分钟。 First run: setting up, one or two minutes."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP) ## set everything up (done by the others when needed)

audit: $(STAMP) ## write the sample delivery and run the night over it
	@$(BIN)/census-audit sample --out "$(OUT)/sample" --units 2000
	@$(BIN)/census-audit run --input "$(OUT)/sample" --out "$(OUT)/audit" --salt-file "$(OUT)/sample_truth/salt.txt"

test: $(STAMP) ## the tests, five to ten minutes
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not browser and not spark"

test-all: $(STAMP) ## all tests, the long ones and the browser's too; Spark has its own
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not spark"

$(SPARK)/.ready: requirements-spark.txt pyproject.toml
	@$(PYTHON) -m venv --clear $(SPARK)
	@$(SPARK)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-spark.txt
	@$(SPARK)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: java
java:
	@java -version >/dev/null 2>&1 || \
	  { echo "缺少 Java 17（Debian: apt install openjdk-17-jre-headless）。 Spark needs Java 17: no java here."; exit 2; }

test-spark: java $(SPARK)/.ready ## the same rules on Spark (needs Java 17), five to fifteen minutes
	@$(SPARK)/bin/python -m pytest -m spark tests/spark

check: $(STAMP) fmt-check lint types rules docs-check ## format, lint, types, rules, generated pages

.PHONY: fmt-check docs-check
fmt-check: $(STAMP)
	@$(BIN)/ruff format --check --quiet $(CODE)

fmt: $(STAMP) ## format the code
	@$(BIN)/ruff format --quiet $(CODE)
	@$(BIN)/ruff check --fix --quiet $(CODE)

lint: $(STAMP)
	@$(BIN)/ruff check --quiet $(CODE)

types: $(STAMP)
	@$(BIN)/mypy audit pipelines reports sample_data

rules: $(STAMP) ## lint the rules and look at their lock
	@$(BIN)/census-audit rules lint

docs: $(STAMP) ## write the generated pages (docs/rules, docs/tables, docs/clauses.md)
	@$(BIN)/python -m reports.pages

docs-check: $(STAMP)
	@$(BIN)/python -m reports.pages --check

bench: $(STAMP) ## measure the night beside Great Expectations, the matcher beside Splink, ten cities
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@$(BIN)/python -m benchmarks.night
	@$(BIN)/python -m benchmarks.intake
	@$(BIN)/python -m benchmarks.matching
	@$(BIN)/python -m benchmarks.ten_cities

requirements: ## renew the hash-locked requirements (needs uv)
	uv pip compile pyproject.toml --extra gx --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.txt
	uv pip compile pyproject.toml --group bench --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-bench.txt
	uv pip compile pyproject.toml --extra spark --group spark-test --constraint requirements.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-spark.txt

clean: ## remove what was made
	@if [ -d out ]; then chmod -R u+w out; fi
	rm -rf $(VENV) $(SPARK) .venv-bench out build dist .mypy_cache .ruff_cache .pytest_cache
