#!/usr/bin/env bash
# Extract what each room says into its catalogue, keep the translations, compile.
set -euo pipefail
folder=agreed/locale/zh_Hans_CN/LC_MESSAGES
mkdir -p "$folder"
for room in agreed firmware_interfaces edge cloud duifu simulators; do
  pot=$(mktemp)
  .venv/bin/pybabel -q extract --project duifu --version 1 -F deploy/words.cfg -k say -k say_count:1,2 -k marked --sort-output \
    --no-location -o "$pot" "$room"
  po="$folder/$room.po"
  if [ -e "$po" ]; then
    .venv/bin/pybabel -q update -N --ignore-pot-creation-date -i "$pot" -o "$po" -l zh_Hans_CN --no-wrap
  else
    .venv/bin/pybabel -q init -i "$pot" -o "$po" -l zh_Hans_CN --no-wrap
  fi
  .venv/bin/pybabel -q compile -i "$po" -o "${po%.po}.mo"
  rm -f "$pot"
done
