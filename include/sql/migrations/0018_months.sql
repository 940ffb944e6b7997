-- Room to drop months. The three tables with a row a minute are partitioned by month afterwards
-- (plugins/kalshi/warehouse/months.py), and InnoDB partitions no table with a foreign key: the writer inserts parents in
-- the same transaction, and the rules candle_has_market and snapshot_has_market check it.

ALTER TABLE kalshi_candle_1m DROP FOREIGN KEY kalshi_candle_1m_market;

ALTER TABLE kalshi_candle_1m_dense DROP FOREIGN KEY kalshi_candle_1m_dense_market;

ALTER TABLE kalshi_price_snapshot DROP FOREIGN KEY kalshi_price_snapshot_market;

-- kalshi_dropped_month: months of rows that kalshi_retention dropped on purpose, a row each time
--   table_name: the table that they were dropped from
--   month: its first day, in UTC
--   row_count: rows that it had
--   exported_to: the Parquet file that has the rows; null if they were not exported
--   dropped_at_utc: when they were dropped, or since when they are being dropped
CREATE TABLE IF NOT EXISTS kalshi_dropped_month (
  table_name     VARCHAR(64)  NOT NULL,
  month          DATE         NOT NULL,
  state          VARCHAR(16)  NOT NULL COMMENT 'exporting: no reading of it begins; dropping: what was read of it is forgotten; dropped',
  row_count      BIGINT       NOT NULL,
  exported_to    VARCHAR(512) NULL,
  dropped_at_utc DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  run_id         BIGINT UNSIGNED NOT NULL,
  updated_at_utc DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (table_name, month, run_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
