#!/usr/bin/env bash
# Installs Python packages into .venv: scripts/install_packages.sh WHAT…, in the words of `pip install`
# uv takes a quarter of pip's time, but doesn't read pip's settings. pip installs where they choose the index or the kind of
# file, and where uv fails, as behind a proxy that only they name.
set -euo pipefail
cd "$(dirname "$0")/.."

pip() { .venv/bin/pip --quiet --disable-pip-version-check --no-input install "$@"; }
uv() { UV_SYSTEM_CERTS=true .venv/bin/uv --quiet pip install --python .venv/bin/python --compile-bytecode --link-mode copy "$@"; }
pip_chooses() { .venv/bin/pip config list | grep -E '\.(index-url|no-index|only-binary|no-binary|require-hashes)=' >/dev/null; }
have_uv() { [ -x .venv/bin/uv ] || pip "$(grep '^uv==' requirements-dev.txt)"; }

if ! pip_chooses && have_uv && uv "$@"; then exit; fi
pip "$@"
