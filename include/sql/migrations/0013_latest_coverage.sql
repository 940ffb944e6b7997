-- Which rows of the quality runs are the latest of their market and day, or of their market and decision. The pages read
-- years of them: asking for the latest run of every single row took seconds.

ALTER TABLE kalshi_coverage
  ADD COLUMN is_latest BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'whether no later run has checked that market and day',
  ADD KEY latest (series_ticker, is_latest, event_date, event_ticker, market_ticker, expected_minutes, present_minutes,
    quoted_minutes, longest_gap_minutes);

ALTER TABLE kalshi_decision_coverage
  ADD COLUMN is_latest BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'whether no later run has checked that market and decision',
  ADD KEY latest (series_ticker, is_latest, event_date, event_ticker, decision, market_ticker, quote_known, yes_bid,
    yes_ask);

UPDATE kalshi_coverage c
JOIN (
  SELECT market_ticker, utc_day, MAX(run_id) AS run_id FROM kalshi_coverage GROUP BY market_ticker, utc_day
) latest ON latest.market_ticker = c.market_ticker AND latest.utc_day = c.utc_day
SET c.is_latest = FALSE, c.updated_at_utc = c.updated_at_utc
WHERE c.run_id < latest.run_id;

UPDATE kalshi_decision_coverage c
JOIN (
  SELECT market_ticker, decision, MAX(run_id) AS run_id FROM kalshi_decision_coverage GROUP BY market_ticker, decision
) latest ON latest.market_ticker = c.market_ticker AND latest.decision = c.decision
SET c.is_latest = FALSE, c.updated_at_utc = c.updated_at_utc
WHERE c.run_id < latest.run_id;

-- kalshi_coverage_latest: of each market and day, the latest look
--   *: as in kalshi_coverage
CREATE OR REPLACE VIEW kalshi_coverage_latest AS
SELECT * FROM kalshi_coverage WHERE is_latest = 1;

-- kalshi_decision_coverage_latest: of each market and decision, the latest look
--   *: as in kalshi_decision_coverage
CREATE OR REPLACE VIEW kalshi_decision_coverage_latest AS
SELECT * FROM kalshi_decision_coverage WHERE is_latest = 1;
