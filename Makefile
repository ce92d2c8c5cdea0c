# The loop. Every target makes the environment first; only Python 3.11+ and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?=
export PYTHONDONTWRITEBYTECODE ?= 1

DEPLOY := .venv-deploy/.installed

.PHONY: install demo test check check-deploy format bench lock pictures clean
.DEFAULT_GOAL := install

install: $(STAMP)

$(STAMP): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Countersign needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q app.py github_app sandbox
	@touch $@

demo: install
	$(BIN)/python -m sandbox.demo $(if $(filter once,$(DEMO)),--once)

test: install
	$(BIN)/python -m pytest $(TESTS)

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The linters of what cannot be run here: a venv of their own, they are large.
$(DEPLOY): requirements-deploy.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

check-deploy: $(DEPLOY)
	$(<D)/bin/hadolint --failure-threshold style Dockerfile
	$(<D)/bin/yamllint --strict --config-file deploy/yamllint.yaml compose.yaml deploy/kubernetes
	$(<D)/bin/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(<D)/bin/kubernetes-validate --strict --quiet -k 1.33 $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))
	deploy/systemd/check

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install
	$(BIN)/python -m bench

pictures: install
	$(BIN)/python -m sandbox.tools.pictures docs/images

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --all-extras pyproject.toml -o requirements-dev.txt
	echo 'setuptools>=80' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements-dev.txt - -o requirements-build.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements-dev.txt deploy/requirements.in -o requirements-deploy.txt

clean:
	rm -rf $(VENV) .venv-deploy .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
