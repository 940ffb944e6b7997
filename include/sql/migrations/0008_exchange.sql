-- Where the data came from, so that pages and reports can say so without asking the exchange. All times are UTC.

CREATE TABLE IF NOT EXISTS kalshi_exchange (
  exchange          VARCHAR(190) NOT NULL COMMENT 'its base URL; a synthetic one has the name that it gives itself',
  is_synthetic      BOOLEAN      NOT NULL COMMENT 'its data is made up: each of its answers says so in the header X-Synthetic-Exchange',
  first_seen_at_utc DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when a DAG run first read from it',
  run_id            BIGINT UNSIGNED NOT NULL COMMENT 'the latest run that planned to read from it',
  updated_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6) COMMENT 'when that run began',
  PRIMARY KEY (exchange)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
