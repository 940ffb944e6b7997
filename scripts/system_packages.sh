#!/usr/bin/env bash
# Installs the Debian packages that are missing: scripts/system_packages.sh run|test
# Prints nothing where all of them are there; without root it names them and stops.
set -euo pipefail

missing=()
need() { # need PACKAGE TEST…: PACKAGE is missing unless the test succeeds
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
have() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$@"; }
headers() { "$PYTHON" -c 'import os, sysconfig; assert os.path.exists(sysconfig.get_path("include") + "/Python.h")'; }
a_server() { have mariadbd || have mysqld; }

PYTHON=${PYTHON:-python3}
case ${1:?usage: system_packages.sh run|test} in
run)
  need python3-venv "$PYTHON" -c 'import ensurepip, venv'
  need python3-dev headers # mysqlclient, which Airflow's MySQL provider asks for, has no wheel
  need gcc have gcc
  need pkg-config have pkg-config
  need libmariadb-dev pkg-config --exists libmariadb
  if [ -z "${AIRFLOW_CONN_KALSHI_WAREHOUSE:-}" ]; then
    need mariadb-server-core a_server
  fi
  ;;
test)
  need mariadb-server-core have mariadbd
  need mariadb-client-core have mysql
  need chromium have chromium
  need redis-server have redis-server
  ;;
esac

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "These packages are missing (names as in Debian): ${missing[*]}" >&2
  echo "As root: apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "Installing ${missing[*]} …"
log=$(mktemp)
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
rm -f "$log"
