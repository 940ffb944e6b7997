#!/usr/bin/env bash
# The MySQL image runs this once, when its data folder is new: creates Airflow's database and ours, and a user per task.
set -euo pipefail

: "${MYSQL_AIRFLOW_PASSWORD:?}" "${MYSQL_MIGRATE_PASSWORD:?}" "${MYSQL_LOAD_PASSWORD:?}" "${MYSQL_READ_PASSWORD:?}"
{
  cat <<SQL
CREATE DATABASE airflow CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;
CREATE USER 'airflow'@'%' IDENTIFIED BY '$MYSQL_AIRFLOW_PASSWORD';
GRANT ALL ON airflow.* TO 'airflow'@'%';
CREATE DATABASE kalshi CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER 'kalshi_migrate'@'%' IDENTIFIED BY '$MYSQL_MIGRATE_PASSWORD' REQUIRE SSL;
CREATE USER 'kalshi_load'@'%' IDENTIFIED BY '$MYSQL_LOAD_PASSWORD' REQUIRE SSL;
CREATE USER 'kalshi_read'@'%' IDENTIFIED BY '$MYSQL_READ_PASSWORD' REQUIRE SSL;
SQL
  cat "${GRANTS:-/grants.sql}"
} | MYSQL_PWD="${MYSQL_ROOT_PASSWORD:?}" mysql --user=root ${MYSQL_SOCKET:+--socket="$MYSQL_SOCKET"}
