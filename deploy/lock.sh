#!/usr/bin/env bash
# Write the lock files again from pyproject.toml: hashes, no download addresses.
set -euo pipefail
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
python3 -m venv "$tool" && "$tool/bin/pip" install --quiet uv
for extra in edge cloud dev bench; do
  "$tool/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-annotate --no-emit-index-url --no-emit-package duifu \
    --extra "$extra" pyproject.toml -o "deploy/locks/$extra.txt" "$@"
done
