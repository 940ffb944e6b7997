-- The minimum privileges of each warehouse user. An administrator runs this once, after creating the database and the
-- users; replace `kalshi` with your database's name, and '%' with your workers' network:
--
--   CREATE DATABASE kalshi CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
--   CREATE USER 'kalshi_migrate'@'%' IDENTIFIED BY '…' REQUIRE SSL;
--   CREATE USER 'kalshi_load'@'%' IDENTIFIED BY '…' REQUIRE SSL;
--   CREATE USER 'kalshi_read'@'%' IDENTIFIED BY '…' REQUIRE SSL;
--
-- Write a name with an underscore as `my\_database`: in a grant, _ matches any character.

-- Migrations: `python -m kalshi migrate`, which first tries the server in a temporary table. The views run with this
-- user's privileges: don't drop the user.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW,
  CREATE TEMPORARY TABLES
  ON `kalshi`.* TO 'kalshi_migrate'@'%';

-- The DAGs. They change rows, never tables; each batch is staged in a temporary table.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON `kalshi`.* TO 'kalshi_load'@'%';

-- Only where kalshi_retention drops months of these tables: it empties a partition.
-- GRANT ALTER, DROP ON `kalshi`.kalshi_candle_1m TO 'kalshi_load'@'%';
-- GRANT ALTER, DROP ON `kalshi`.kalshi_candle_1m_dense TO 'kalshi_load'@'%';
-- GRANT ALTER, DROP ON `kalshi`.kalshi_price_snapshot TO 'kalshi_load'@'%';

-- The pages in Airflow, notebooks, dashboards.
GRANT SELECT, SHOW VIEW ON `kalshi`.* TO 'kalshi_read'@'%';
