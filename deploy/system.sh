#!/usr/bin/env bash
# Make sure that what the tests need is installed: broker, database, browser, bus, PDF libraries and fonts.
set -euo pipefail
say() { printf '%s\n' "$*" >&2; }

missing=()
[ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || missing+=(mosquitto)
command -v pg_ctl >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/pg_ctl' >/dev/null || missing+=(postgresql)
command -v chromium >/dev/null || missing+=(chromium)
compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*' >/dev/null || missing+=(fonts-noto-cjk)
ldconfig -p | grep -q libpangoft2-1.0 || missing+=(libpangoft2-1.0-0)
ldconfig -p | grep -q libharfbuzz-subset || missing+=(libharfbuzz-subset0)
command -v pdftotext >/dev/null || missing+=(poppler-utils)
command -v dbus-daemon >/dev/null || missing+=(dbus-daemon)
[ ${#missing[@]} = 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  say "Installing what the tests need: ${missing[*]}"
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
else
  say "The tests need these system packages: install them with: sudo apt-get install ${missing[*]}"
  exit 2
fi
