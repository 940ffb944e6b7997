-- The least that each user of the warehouse needs. An administrator runs this once, after making the database and the
-- users; put your database's name in the place of `kalshi`, and your workers' network in the place of '%':
--
--   CREATE DATABASE kalshi CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
--   CREATE USER 'kalshi_migrate'@'%' IDENTIFIED BY '…' REQUIRE SSL;
--   CREATE USER 'kalshi_load'@'%' IDENTIFIED BY '…' REQUIRE SSL;
--   CREATE USER 'kalshi_read'@'%' IDENTIFIED BY '…' REQUIRE SSL;
--
-- A name with an underscore is written `my\_database` here: in a grant, _ stands for any character.

-- Migrations: `python -m kalshi migrate`. The views run with this user's rights: keep the user.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW
  ON `kalshi`.* TO 'kalshi_migrate'@'%';

-- The DAGs. It changes rows, never tables; each batch is staged in a temporary table.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON `kalshi`.* TO 'kalshi_load'@'%';

-- The pages in Airflow, notebooks, dashboards.
GRANT SELECT, SHOW VIEW ON `kalshi`.* TO 'kalshi_read'@'%';
