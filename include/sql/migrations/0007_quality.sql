-- The results of the data quality runs. All times are UTC. Runs only add rows, so that progress is visible; run_id is
-- the run of the job "quality" in kalshi_sync_run.

-- kalshi_coverage: each quality run's look at a market's day: minutes open, with a candle, with a known quote; gaps, spreads
--   widest_spread: the same, the widest
CREATE TABLE IF NOT EXISTS kalshi_coverage (
  run_id                     BIGINT UNSIGNED NOT NULL COMMENT 'the quality run',
  market_ticker              VARCHAR(120) NOT NULL,
  utc_day                    DATE NOT NULL COMMENT 'the day that was checked, in UTC; minutes count the market''s life within it',
  event_ticker               VARCHAR(120) NOT NULL,
  series_ticker              VARCHAR(120) NOT NULL,
  event_date                 DATE NULL,
  expected_minutes           INT NOT NULL COMMENT 'minutes in which the market was open, up to the time of the run',
  present_minutes            INT NOT NULL COMMENT 'minutes with a candle from any source; minutes without changes have none',
  missing_minutes            INT NOT NULL COMMENT 'expected minus present; all of them for a market without candles',
  quoted_minutes             INT NOT NULL COMMENT 'minutes in which a quote no older than quality.quote_minutes was known',
  longest_gap_minutes        INT NOT NULL COMMENT 'the longest stretch without a candle, including after the open and before the close',
  minutes_open_to_first      INT NULL COMMENT 'from the open to the first candle; null if the market opened on another day or has no candle',
  minutes_last_to_close      INT NULL COMMENT 'from the last candle to the close; null if it closes on another day or later, or has no candle',
  candles                    INT NOT NULL COMMENT 'rows of all sources; more than present_minutes if a minute has both',
  empty_books                INT NOT NULL COMMENT 'candles that close with bid 0 and ask 1: nobody quotes, so there is no spread',
  mean_spread                DECIMAL(10,6) NULL COMMENT 'ask minus bid at the close of the candles, without empty books',
  widest_spread              DECIMAL(10,6) NULL,
  updated_at_utc             DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (run_id, market_ticker, utc_day),
  KEY market (market_ticker),
  KEY market_day (market_ticker, utc_day, run_id),
  KEY series_date (series_ticker, event_date),
  CONSTRAINT kalshi_coverage_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_decision_coverage: each quality run's look at a market at a decision time: candle present, quote known, spread
--   decided_at_utc: the moment of the decision
--   yes_ask: at the close of that candle
CREATE TABLE IF NOT EXISTS kalshi_decision_coverage (
  run_id            BIGINT UNSIGNED NOT NULL COMMENT 'the quality run',
  market_ticker     VARCHAR(120) NOT NULL,
  decision          VARCHAR(64)  NOT NULL COMMENT 'its name in kalshi.toml, or open: the market''s own open_time_utc',
  event_ticker      VARCHAR(120) NOT NULL,
  series_ticker     VARCHAR(120) NOT NULL,
  event_date        DATE NULL,
  decided_at_utc    DATETIME(6) NOT NULL,
  candle_present    BOOLEAN NOT NULL COMMENT 'whether the minute that starts at the decision has a candle',
  quote_known       BOOLEAN NOT NULL COMMENT 'whether a quote no older than quality.quote_minutes existed at the end of that minute; empty books don''t count',
  quote_age_minutes INT NULL COMMENT 'minutes from that quote''s candle to the decision; null if there is none within quality.quote_minutes',
  yes_bid           DECIMAL(10,6) NULL COMMENT 'at the close of that candle',
  yes_ask           DECIMAL(10,6) NULL,
  spread            DECIMAL(10,6) NULL COMMENT 'null in an empty book',
  updated_at_utc    DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (run_id, market_ticker, decision),
  KEY market (market_ticker),
  KEY market_decision (market_ticker, decision, run_id),
  KEY event_decision (event_ticker, decision, run_id),
  KEY series_date (series_ticker, event_date),
  CONSTRAINT kalshi_decision_coverage_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_quality_result: what each check of each quality run found, with some of the rows and the query
--   series_ticker: the series that was checked
--   table_name: the table that was checked
--   window_start_utc: start of the days that were checked
--   window_end_utc: end of the days that were checked
CREATE TABLE IF NOT EXISTS kalshi_quality_result (
  run_id            BIGINT UNSIGNED NOT NULL COMMENT 'the quality run',
  check_name        VARCHAR(64)  NOT NULL COMMENT 'as in include/kalshi.toml and include/sql/checks',
  series_ticker     VARCHAR(120) NOT NULL,
  table_name        VARCHAR(64)  NOT NULL,
  window_start_utc  DATETIME(6)  NOT NULL,
  window_end_utc    DATETIME(6)  NOT NULL,
  severity          VARCHAR(16)  NOT NULL COMMENT 'severity of a failure: error, warning or info',
  state             VARCHAR(16)  NOT NULL COMMENT 'passed, failed, empty (there was nothing to check) or broken (the check itself failed)',
  about             TEXT         NOT NULL COMMENT 'the rule in words',
  checked           BIGINT NOT NULL COMMENT 'rows that were checked',
  violations        BIGINT NOT NULL COMMENT 'rows that break the rule',
  mostly            DECIMAL(10,6) NOT NULL COMMENT 'the share of rows that must pass',
  samples           JSON NULL COMMENT 'some of the failing rows',
  query             LONGTEXT NULL COMMENT 'the query that finds the failing rows, as it ran',
  updated_at_utc    DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (run_id, check_name),
  KEY series_check (series_ticker, check_name, run_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_readiness: the small backtest of each quality run: trades and P&L by series and decision, or why there are none
--   last_event_date: the latest of them
--   events: settled events that were tried
--   markets: their markets
--   settled_markets: those with a settlement
--   maker_fees: dollars of fees
--   taker_pnl: dollars, one contract a trade, after fees
--   taker_fees: dollars of fees
CREATE TABLE IF NOT EXISTS kalshi_readiness (
  run_id            BIGINT UNSIGNED NOT NULL COMMENT 'the quality run',
  series_ticker     VARCHAR(120) NOT NULL,
  decision          VARCHAR(64)  NOT NULL COMMENT 'its name in kalshi.toml, or open',
  first_event_date  DATE NULL COMMENT 'first date of the latest settled events in the backtest',
  last_event_date   DATE NULL,
  events            INT NOT NULL,
  markets           INT NOT NULL,
  settled_markets   INT NOT NULL,
  quoted_markets    INT NOT NULL COMMENT 'markets with a known quote at the decision',
  fillable_markets  INT NOT NULL COMMENT 'markets quoted on both sides, with a spread no wider than quality.max_spread',
  maker_trades      INT NOT NULL COMMENT 'YES bought at the bid; filled at random (seeded) with quality.readiness.maker_fill_probability',
  maker_pnl         DECIMAL(18,6) NOT NULL COMMENT 'dollars, one contract per trade, after fees',
  maker_fees        DECIMAL(18,6) NOT NULL,
  taker_trades      INT NOT NULL COMMENT 'YES bought at the ask',
  taker_pnl         DECIMAL(18,6) NOT NULL,
  taker_fees        DECIMAL(18,6) NOT NULL,
  reason            TEXT NULL COMMENT 'why there are no trades: no candles, no quotes, no settlements, no fillable spread',
  updated_at_utc    DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (run_id, series_ticker, decision),
  KEY series_decision (series_ticker, decision, run_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- kalshi_coverage_latest: of each market and day, the latest look
--   *: as in kalshi_coverage
CREATE OR REPLACE VIEW kalshi_coverage_latest AS
SELECT c.* FROM kalshi_coverage c
WHERE c.run_id = (
  SELECT MAX(l.run_id) FROM kalshi_coverage l WHERE l.market_ticker = c.market_ticker AND l.utc_day = c.utc_day
);

-- kalshi_decision_coverage_latest: of each market and decision, the latest look
--   *: as in kalshi_decision_coverage
CREATE OR REPLACE VIEW kalshi_decision_coverage_latest AS
SELECT c.* FROM kalshi_decision_coverage c
WHERE c.run_id = (
  SELECT MAX(l.run_id) FROM kalshi_decision_coverage l
  WHERE l.market_ticker = c.market_ticker AND l.decision = c.decision
);

INSERT IGNORE INTO kalshi_freshness_rule (table_name, job, allowed_lag_minutes) VALUES
  ('kalshi_quality_result', 'quality', 1800);
