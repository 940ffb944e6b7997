-- The ledger: runs, checkpoints, rejected records, and the shared request budget.
-- All times are UTC. Every statement can be rerun, because DDL doesn't roll back.

-- every table: unless it says otherwise
--   market_ticker: the market, in kalshi_market
--   event_ticker: the event, in kalshi_event
--   series_ticker: the series, in kalshi_series
--   event_date: the local climate date of the event
--   run_id: the run that last changed the row, in kalshi_sync_run
--   created_at_utc: when the row was first stored
--   updated_at_utc: when the row last changed
--   subaccount: of the API key's account; 0 is the primary one
--   yes_bid_open: the bid at the start of the minute
--   yes_bid_high: the highest bid
--   yes_bid_low: the lowest bid
--   yes_bid_close: the bid at the end of the minute
--   yes_ask_open: the ask at the start of the minute
--   yes_ask_high: the highest ask
--   yes_ask_low: the lowest ask
--   yes_ask_close: the ask at the end of the minute
--   trade_high: the highest price traded
--   trade_low: the lowest price traded
--   trade_close: the last price traded
--   trade_mean: the mean price of the minute's trades
--   yes_bid: the best bid for YES
--   yes_ask: the best ask for YES
--   yes_bid_size: contracts at the bid
--   yes_ask_size: contracts at the ask
--   last_price: the price of the last trade
--   open_interest: contracts that are open
--   volume_24h: contracts traded in the last 24 hours, as the exchange counts them
--   exchange_updated_at_utc: when the exchange last changed it
--
-- kalshi_schema_version: the version of the schema; Alembic keeps it
--   version_num: the newest migration that was applied

-- kalshi_sync_run: every run of a job: its state, counts, requests, waiting time and report
--   window_end_utc: end of the data interval
--   started_at_utc: when it began
--   ended_at_utc: when it ended; null while it runs
--   inserted: rows added, in all tables together
--   updated: rows changed
--   unchanged: rows that were there already
--   rejected: records that could not be stored, in kalshi_rejected_record
--   requests: requests sent to the exchange
--   retries: requests sent again
CREATE TABLE IF NOT EXISTS kalshi_sync_run (
  run_id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'one attempt at one job and scope; the lineage of every data row',
  job               VARCHAR(64)  NOT NULL COMMENT 'the job, such as catalog',
  scope             VARCHAR(190) NOT NULL COMMENT 'the part of the job, such as a series ticker',
  dag_run_id        VARCHAR(250) NULL COMMENT 'the Airflow DAG run, or null outside Airflow',
  window_start_utc  DATETIME(6)  NULL COMMENT 'start of the data interval, if the job has one',
  window_end_utc    DATETIME(6)  NULL,
  state             VARCHAR(16)  NOT NULL COMMENT 'running, success, warning, failed, abandoned',
  started_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  heartbeat_at_utc  DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'the last heartbeat',
  ended_at_utc      DATETIME(6)  NULL,
  inserted          BIGINT NOT NULL DEFAULT 0,
  updated           BIGINT NOT NULL DEFAULT 0,
  unchanged         BIGINT NOT NULL DEFAULT 0,
  rejected          BIGINT NOT NULL DEFAULT 0,
  requests          BIGINT NOT NULL DEFAULT 0,
  retries           BIGINT NOT NULL DEFAULT 0,
  throttled_seconds DECIMAL(12,3) NOT NULL DEFAULT 0 COMMENT 'time spent waiting for the request budget',
  report            JSON NULL COMMENT 'the report of this run',
  PRIMARY KEY (run_id),
  KEY dag_run (dag_run_id, job, scope),
  KEY job_scope (job, scope, started_at_utc)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_checkpoint: which windows of time are complete, and where a killed run resumes
--   job: such as candles
--   scope: what of the job, such as a series ticker
--   window_start_utc: start of the window, included
--   window_end_utc: end of the window, not included
--   attempts: how often a run began it
--   error: why it failed
--   heartbeat_at_utc: when its progress was last saved
--   run_id: the latest run that worked on it
CREATE TABLE IF NOT EXISTS kalshi_checkpoint (
  job              VARCHAR(64)  NOT NULL,
  scope            VARCHAR(190) NOT NULL,
  window_start_utc DATETIME(6)  NOT NULL,
  window_end_utc   DATETIME(6)  NOT NULL,
  state            VARCHAR(16)  NOT NULL COMMENT 'RUNNING, COMPLETE, FAILED',
  progress         JSON NULL COMMENT 'how far a running or failed window got',
  attempts         INT NOT NULL DEFAULT 1,
  error            TEXT NULL,
  heartbeat_at_utc DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  run_id           BIGINT UNSIGNED NOT NULL,
  updated_at_utc   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (job, scope, window_start_utc, window_end_utc)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_rejected_record: records that could not be stored, with the reason and the payload
--   id: a number of its own
--   endpoint: the path that sent it
--   reason: what is wrong with it
--   times_seen: how often it came
--   created_at_utc: when it first came
CREATE TABLE IF NOT EXISTS kalshi_rejected_record (
  id                BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  endpoint          VARCHAR(190) NOT NULL,
  reason            VARCHAR(1000) NOT NULL,
  payload           LONGTEXT NOT NULL COMMENT 'the record as the exchange sent it',
  payload_sha256    CHAR(64) NOT NULL COMMENT 'of endpoint and payload: a record rejected again is counted, not stored twice',
  times_seen        INT NOT NULL DEFAULT 1,
  run_id            BIGINT UNSIGNED NOT NULL COMMENT 'the latest run that rejected it',
  created_at_utc    DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  updated_at_utc    DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (id),
  UNIQUE KEY payload (payload_sha256)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_request_budget: the request budget that all workers share
CREATE TABLE IF NOT EXISTS kalshi_request_budget (
  budget       VARCHAR(190) NOT NULL COMMENT 'exchange host and key id, which share the limit',
  next_free_us BIGINT NOT NULL DEFAULT 0 COMMENT 'microseconds since 1970, server clock: when the next request may be sent',
  PRIMARY KEY (budget)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
