#!/usr/bin/env bash
# Installs the Debian packages that are missing: scripts/system_packages.sh run|test|fresh
# Prints nothing when all of them are installed. Without root it names every missing package at once and stops.
set -euo pipefail

missing=()
need() { # need PACKAGE TEST…: PACKAGE is missing unless the test succeeds
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
have() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$@"; }
headers() { "$PYTHON" -c 'import os, sysconfig; assert os.path.exists(sysconfig.get_path("include") + "/Python.h")'; }
a_mysql_server() { have mysqld && ! have mariadbd; }

PYTHON=${PYTHON:-python3}

need_to_run() {
  need python3-venv "$PYTHON" -c 'import ensurepip, venv'
  need python3-dev headers # mysqlclient, which Airflow's MySQL provider requires, has no wheel
  need gcc have gcc
  need pkg-config have pkg-config
  need libmariadb-dev pkg-config --exists libmariadb
  if [ -z "${AIRFLOW_CONN_KALSHI_WAREHOUSE:-}" ] && ! a_mysql_server; then
    need mariadb-server-core have mariadbd
    need mariadb-server-core have mariadb-install-db
    need mariadb-client-core have my_print_defaults # mariadb-install-db calls it
  fi
}
need_to_test() {
  need mariadb-server-core have mariadbd
  need mariadb-client-core have mysql
  need chromium have chromium
  need redis-server have redis-server
}
unique() { printf '%s\n' "$@" | sort -u | xargs; }

case ${1:?usage: system_packages.sh run|test|fresh} in
run) need_to_run ;;
test) need_to_test ;;
fresh) need mmdebstrap have mmdebstrap ;;
*) echo "usage: system_packages.sh run|test|fresh" >&2 && exit 2 ;;
esac
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! have apt-get >/dev/null; then
  wanted=("${missing[@]}")
  echo "Packages are missing (names as in Debian): $(unique "${wanted[@]}")" >&2
  if [ "$1" = run ]; then
    missing=()
    need_to_test
    if [ ${#missing[@]} -gt 0 ]; then
      echo "make test needs these too: $(unique "${missing[@]}")" >&2
      wanted+=("${missing[@]}")
    fi
  fi
  echo "Install all of them as root, then run make again as yourself:" >&2
  echo "  apt-get update && apt-get install -y --no-install-recommends $(unique "${wanted[@]}")" >&2
  exit 1
fi
echo "Installing $(unique "${missing[@]}") …"
log=$(mktemp)
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
rm -f "$log"
