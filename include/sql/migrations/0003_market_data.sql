-- Settlements, public trades and price snapshots. All times are UTC; prices are dollars, counts are contracts.
-- Each foreign key has its own index, declared before any longer one: see 0002_catalog.sql.

-- kalshi_settlement: settled markets: result, value, when, and where that time comes from
--   settled_at_utc: when it settled; settled_at_source says where that is known from
CREATE TABLE IF NOT EXISTS kalshi_settlement (
  market_ticker     VARCHAR(120) NOT NULL,
  event_ticker      VARCHAR(120) NOT NULL,
  series_ticker     VARCHAR(120) NOT NULL,
  result            VARCHAR(64)  NOT NULL COMMENT 'yes, no, scalar, or another value from the exchange',
  settlement_value  DECIMAL(18,6) NULL COMMENT 'dollars paid per YES contract',
  settled_at_utc    DATETIME(6)  NOT NULL,
  settled_at_source VARCHAR(64)  NOT NULL COMMENT 'settlement_ts, or the proxy used instead: updated_time, expected_expiration_time, expiration_time, close_time',
  run_id            BIGINT UNSIGNED NOT NULL,
  created_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker),
  KEY event (event_ticker),
  KEY series_settled (series_ticker, settled_at_utc),
  KEY settled (settled_at_utc),
  CONSTRAINT kalshi_settlement_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker),
  CONSTRAINT kalshi_settlement_event FOREIGN KEY (event_ticker) REFERENCES kalshi_event (event_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_trade: public trades, block trades included
--   trade_id: the exchange's id
--   executed_at_utc: when it was traded
--   yes_price: dollars per contract of YES
--   no_price: dollars per contract of NO
--   is_block_trade: negotiated off the book
CREATE TABLE IF NOT EXISTS kalshi_trade (
  trade_id        VARCHAR(64)  NOT NULL,
  market_ticker   VARCHAR(120) NOT NULL,
  executed_at_utc DATETIME(6)  NOT NULL,
  yes_price       DECIMAL(10,6) NOT NULL,
  no_price        DECIMAL(10,6) NULL,
  `count`         DECIMAL(20,2) NOT NULL COMMENT 'contracts',
  taker_side      VARCHAR(16)  NULL COMMENT 'the outcome that the taker bought: yes or no',
  taker_book_side VARCHAR(16)  NULL COMMENT 'bid or ask',
  is_block_trade  BOOLEAN NOT NULL DEFAULT FALSE,
  run_id          BIGINT UNSIGNED NOT NULL,
  created_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (trade_id),
  KEY market (market_ticker),
  KEY market_executed (market_ticker, executed_at_utc),
  KEY executed (executed_at_utc),
  CONSTRAINT kalshi_trade_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_price_snapshot: bid, ask, last price, sizes and volume of every open market, by time
--   status: of the market at that moment
--   volume: contracts traded so far
CREATE TABLE IF NOT EXISTS kalshi_price_snapshot (
  market_ticker   VARCHAR(120) NOT NULL,
  snapshot_at_utc DATETIME(6)  NOT NULL COMMENT 'the nominal time of the run; the same for all its markets',
  observed_at_utc DATETIME(6)  NOT NULL COMMENT 'when the prices were read from the exchange',
  status          VARCHAR(64)  NULL,
  yes_bid         DECIMAL(18,6) NULL,
  yes_ask         DECIMAL(18,6) NULL,
  last_price      DECIMAL(18,6) NULL COMMENT '0 if nothing was traded yet',
  yes_bid_size    DECIMAL(20,2) NULL,
  yes_ask_size    DECIMAL(20,2) NULL,
  volume          DECIMAL(20,2) NULL,
  volume_24h      DECIMAL(20,2) NULL,
  open_interest   DECIMAL(20,2) NULL,
  is_empty_book   BOOLEAN NOT NULL COMMENT 'bid 0 and ask 1: nobody quotes, and the spread is meaningless',
  run_id          BIGINT UNSIGNED NOT NULL,
  updated_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, snapshot_at_utc),
  KEY snapshot (snapshot_at_utc),
  CONSTRAINT kalshi_price_snapshot_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_decision_time: when a strategy decides about each event: the local times of kalshi.toml, in UTC
CREATE TABLE IF NOT EXISTS kalshi_decision_time (
  event_ticker   VARCHAR(120) NOT NULL,
  decision       VARCHAR(64)  NOT NULL COMMENT 'its name in kalshi.toml',
  decided_at_utc DATETIME(6)  NOT NULL COMMENT 'the local decision time in the series city, converted with its clock changes',
  run_id         BIGINT UNSIGNED NOT NULL,
  updated_at_utc DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (event_ticker, decision),
  CONSTRAINT kalshi_decision_time_event FOREIGN KEY (event_ticker) REFERENCES kalshi_event (event_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_freshness_rule: how old the last good run of each table may be; edit it to your schedule
--   table_name: the table that must be fresh
CREATE TABLE IF NOT EXISTS kalshi_freshness_rule (
  table_name          VARCHAR(64) NOT NULL,
  job                 VARCHAR(64) NOT NULL COMMENT 'the job whose successful runs keep the table fresh',
  allowed_lag_minutes INT NOT NULL COMMENT 'since the last successful run; adjust it to your schedule',
  PRIMARY KEY (table_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO kalshi_freshness_rule (table_name, job, allowed_lag_minutes) VALUES
  ('kalshi_market', 'catalog', 120),
  ('kalshi_settlement', 'settlements', 120),
  ('kalshi_trade', 'trades', 120),
  ('kalshi_price_snapshot', 'snapshots', 15);

-- kalshi_freshness: how fresh each table is, by its latest data and its latest good run, with a verdict
--   table_name: the table
--   latest_data_utc: the time of the newest row
--   latest_successful_run_utc: end of the latest good run of the series that is furthest behind; null where one never had any
--   allowed_lag_minutes: as in kalshi_freshness_rule
--   lag_minutes: minutes since latest_successful_run_utc
--   verdict: pass; warn beyond the allowed lag; fail beyond three times that, or where there was no good run
CREATE OR REPLACE VIEW kalshi_freshness AS
SELECT
  rule.table_name,
  latest.data_at_utc AS latest_data_utc,
  run.ended_at_utc AS latest_successful_run_utc,
  rule.allowed_lag_minutes,
  TIMESTAMPDIFF(MINUTE, run.ended_at_utc, UTC_TIMESTAMP(6)) AS lag_minutes,
  CASE
    WHEN run.ended_at_utc IS NULL THEN 'fail'
    WHEN TIMESTAMPDIFF(MINUTE, run.ended_at_utc, UTC_TIMESTAMP(6)) <= rule.allowed_lag_minutes THEN 'pass'
    WHEN TIMESTAMPDIFF(MINUTE, run.ended_at_utc, UTC_TIMESTAMP(6)) <= 3 * rule.allowed_lag_minutes THEN 'warn'
    ELSE 'fail'
  END AS verdict
FROM kalshi_freshness_rule rule
LEFT JOIN (
  SELECT 'kalshi_market' AS table_name, MAX(updated_at_utc) AS data_at_utc FROM kalshi_market
  UNION ALL SELECT 'kalshi_settlement', MAX(settled_at_utc) FROM kalshi_settlement
  UNION ALL SELECT 'kalshi_trade', MAX(executed_at_utc) FROM kalshi_trade
  UNION ALL SELECT 'kalshi_price_snapshot', MAX(snapshot_at_utc) FROM kalshi_price_snapshot
) latest ON latest.table_name = rule.table_name
LEFT JOIN (
  -- The series that is furthest behind, among those that the job still runs for.
  SELECT scopes.job, IF(COUNT(scopes.good_utc) = COUNT(*), MIN(scopes.good_utc), NULL) AS ended_at_utc
  FROM (
    SELECT job, scope, MAX(started_at_utc) AS started_utc,
      MAX(CASE WHEN state IN ('success', 'warning') THEN ended_at_utc END) AS good_utc
    FROM kalshi_sync_run WHERE scope <> '(plan)' GROUP BY job, scope
  ) scopes
  JOIN (SELECT job, MAX(started_at_utc) AS started_utc FROM kalshi_sync_run GROUP BY job) newest
    ON newest.job = scopes.job
  WHERE scopes.started_utc > newest.started_utc - INTERVAL 1 HOUR
  GROUP BY scopes.job
) run ON run.job = rule.job;
