-- The ledger: runs, checkpoints, rejected records, and the shared request budget.
-- All times are UTC. Every statement can be rerun, because DDL doesn't roll back.

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

CREATE TABLE IF NOT EXISTS kalshi_request_budget (
  budget       VARCHAR(190) NOT NULL COMMENT 'exchange host and key id, which share the limit',
  next_free_us BIGINT NOT NULL DEFAULT 0 COMMENT 'microseconds since 1970, server clock: when the next request may be sent',
  PRIMARY KEY (budget)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
