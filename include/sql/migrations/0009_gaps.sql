-- What is known to be missing, so that ordinary runs can fill it. All times are UTC.

-- kalshi_gap: every known hole in what a job has read; ordinary runs fill it, or a person accepts it
--   job: such as candles
--   scope: what of the job, such as a series ticker
--   window_start_utc: start of what is missing, included
--   window_end_utc: end of what is missing, not included
--   attempts: how often a run tried to fill it
--   updated_at_utc: when the row last changed
CREATE TABLE IF NOT EXISTS kalshi_gap (
  job              VARCHAR(64)  NOT NULL,
  scope            VARCHAR(190) NOT NULL,
  market_ticker    VARCHAR(190) NOT NULL DEFAULT '' COMMENT 'the market that is missing; empty: the whole scope; ?: a market whose ticker could not be read',
  window_start_utc DATETIME(6)  NOT NULL,
  window_end_utc   DATETIME(6)  NOT NULL,
  reason           VARCHAR(1000) NOT NULL COMMENT 'why it is missing',
  attempts         INT NOT NULL DEFAULT 0,
  since_utc        DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when it was first noted',
  number           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'grows whenever a gap is noted, also again: only a reading that began later closes it',
  accepted_reason  VARCHAR(1000) NULL COMMENT 'why a person accepts that this stays missing; null: runs go on trying',
  run_id           BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'the latest run that tried to fill it; 0: none since it was noted',
  updated_at_utc   DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (job, scope, market_ticker, window_start_utc, window_end_utc),
  UNIQUE KEY number (number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_schedule: up to where scheduled runs have asked for data; what isn't complete before that is a gap
CREATE TABLE IF NOT EXISTS kalshi_schedule (
  job                 VARCHAR(64)  NOT NULL COMMENT 'such as trades',
  scope               VARCHAR(190) NOT NULL COMMENT 'what of the job, such as a series ticker',
  scheduled_until_utc DATETIME(6)  NOT NULL COMMENT 'the latest end of a window that a scheduled run asked for',
  run_id              BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'the run that asked for it',
  updated_at_utc      DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6) COMMENT 'when that was',
  PRIMARY KEY (job, scope)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Windows that earlier versions left unfinished become gaps.
INSERT IGNORE INTO kalshi_gap (job, scope, window_start_utc, window_end_utc, reason)
SELECT job, scope, window_start_utc, window_end_utc, COALESCE(LEFT(error, 1000), 'not read to its end')
FROM kalshi_checkpoint WHERE state <> 'COMPLETE';

INSERT IGNORE INTO kalshi_schedule (job, scope, scheduled_until_utc)
SELECT job, scope, MAX(window_end_utc) FROM kalshi_checkpoint WHERE job = 'trades' GROUP BY job, scope;

ALTER TABLE kalshi_checkpoint
  ADD COLUMN began BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'the number of the latest gap when the reading began that its progress belongs to' AFTER attempts;

ALTER TABLE kalshi_rejected_record
  ADD COLUMN job VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'the job that read it' AFTER times_seen,
  ADD COLUMN scope VARCHAR(190) NOT NULL DEFAULT '' COMMENT 'what of the job, such as a series ticker' AFTER job,
  ADD COLUMN market_ticker VARCHAR(190) NOT NULL DEFAULT '' COMMENT 'the market that it concerns; ?: its ticker could not be read' AFTER scope,
  ADD COLUMN window_start_utc DATETIME(6) NULL COMMENT 'start of the window that it was read for' AFTER market_ticker,
  ADD COLUMN window_end_utc DATETIME(6) NULL COMMENT 'end of that window' AFTER window_start_utc,
  ADD COLUMN resolved_at_utc DATETIME(6) NULL COMMENT 'when no gap was left of it; null: unresolved' AFTER window_end_utc,
  ADD KEY unresolved (job, scope, market_ticker);
