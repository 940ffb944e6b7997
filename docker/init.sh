#!/usr/bin/env bash
# The service `init` of docker-compose.yaml: Airflow's database, the pool, the warehouse's schema, the login of the UI.
# It may run as often as it likes, and must before a new version of the others starts.
set -euo pipefail

airflow db migrate
airflow pools set kalshi_api "${KALSHI_POOL_SLOTS:-8}" "Tasks that ask the exchange at the same time"
python -m kalshi migrate
umask 077
printf '{"admin": "%s"}\n' "${UI_PASSWORD:?}" >"${AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE:?}"
