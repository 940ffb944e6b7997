#!/usr/bin/env bash
# The service `init` of docker-compose.yaml: sets up Airflow's database, the pool, the warehouse's schema, the UI login.
# It is safe to run repeatedly, and must run before a new version of the other services starts.
set -euo pipefail

airflow db migrate
airflow pools set kalshi_api "${KALSHI_POOL_SLOTS:-8}" "Tasks that send requests to the exchange"
python -m kalshi migrate
umask 077
printf '{"admin": "%s"}\n' "${UI_PASSWORD:?}" >"${AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE:?}"
