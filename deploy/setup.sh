#!/usr/bin/env bash
# Make .venv with every locked dependency; needs Python 3.11 or newer with venv, nothing else.
set -euo pipefail
python=${PYTHON:-python3}
say() { printf '%s\n' "$*" >&2; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  say "Python 3.11 or newer is needed: install it (Debian 12: apt-get install python3) or run make PYTHON=/path/to/python3.11"
  exit 2
}
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -q && apt-get install -y -q --no-install-recommends python3-venv
  else
    say "Python's venv module is missing: install it (Debian: sudo apt-get install python3-venv) and run make again"
    exit 2
  fi
fi
say "Setting up .venv (once; about a minute)"
"$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/locks/dev.txt
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
