#!/usr/bin/env bash
# Installs Python packages into .venv: scripts/install_packages.sh WHAT…, in the words of `pip install`
# uv takes a quarter of pip's time, but doesn't read pip's settings: where only these lead to packages, pip does it.
set -euo pipefail
cd "$(dirname "$0")/.."

pip() { .venv/bin/pip --quiet --disable-pip-version-check --no-input install "$@"; }
uv() { UV_SYSTEM_CERTS=true .venv/bin/uv --quiet pip install --python .venv/bin/python --compile-bytecode "$@"; }

[ -x .venv/bin/uv ] || pip "$(grep '^uv==' requirements-dev.txt)"
uv "$@" || { echo "uv can't, so pip installs them …" >&2 && pip "$@"; }
