-- Where the data came from, so that pages and reports can say so without asking the exchange. All times are UTC.

-- kalshi_exchange: the exchanges that the data was read from, and whether it is synthetic
CREATE TABLE IF NOT EXISTS kalshi_exchange (
  exchange          VARCHAR(190) NOT NULL COMMENT 'its base URL; for a synthetic exchange, the name in its header X-Synthetic-Exchange',
  is_synthetic      BOOLEAN      NOT NULL COMMENT 'whether its data is synthetic, as its responses say',
  first_seen_at_utc DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when a DAG run first read from it',
  run_id            BIGINT UNSIGNED NOT NULL COMMENT 'the latest run that read from it',
  updated_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6) COMMENT 'when that was',
  PRIMARY KEY (exchange)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
