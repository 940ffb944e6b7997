-- The quotes in each market of the given events when a strategy decides: at the times in kalshi_decision_time, and at
-- the market's own open. This is the latest quote within :quote_minutes, including the minute that starts at the
-- decision, so that an order sent at the decision could trade against it.
SELECT quote.*,
  yes_ask - yes_bid AS spread
FROM (
  SELECT decision.market_ticker, decision.decision, decision.event_ticker, decision.series_ticker,
    decision.event_date, decision.decided_at_utc,
    EXISTS (
      SELECT 1 FROM kalshi_candle_1m c WHERE c.market_ticker = decision.market_ticker
        AND c.bucket_start_utc = decision.minute_utc
    ) AS candle_present,
    COALESCE(q.yes_bid_close > 0 OR q.yes_ask_close < 1, FALSE) AS quote_known,
    TIMESTAMPDIFF(MINUTE, q.bucket_start_utc, decision.minute_utc) AS quote_age_minutes,
    CASE WHEN q.yes_bid_close > 0 OR q.yes_ask_close < 1 THEN q.yes_bid_close END AS yes_bid,
    CASE WHEN q.yes_bid_close > 0 OR q.yes_ask_close < 1 THEN q.yes_ask_close END AS yes_ask
  FROM (
    SELECT timed.*, (
      SELECT MAX(c.bucket_start_utc) FROM kalshi_candle_1m c
      WHERE c.market_ticker = timed.market_ticker AND c.source = 'api_event'
        AND c.bucket_start_utc <= timed.minute_utc
        AND c.bucket_start_utc >= timed.minute_utc - INTERVAL :quote_minutes MINUTE
    ) AS quote_bucket_utc
    FROM (
      SELECT m.market_ticker, d.decision, m.event_ticker, m.series_ticker, e.event_date, d.decided_at_utc,
        TIMESTAMP(DATE(d.decided_at_utc), MAKETIME(HOUR(d.decided_at_utc), MINUTE(d.decided_at_utc), 0)) AS minute_utc
      FROM kalshi_decision_time d
      JOIN kalshi_market m ON m.event_ticker = d.event_ticker
      LEFT JOIN kalshi_event e ON e.event_ticker = d.event_ticker
      WHERE d.event_ticker IN :events AND d.decided_at_utc >= :start AND d.decided_at_utc < :end
      UNION ALL
      SELECT m.market_ticker, 'open', m.event_ticker, m.series_ticker, e.event_date, m.open_time_utc,
        TIMESTAMP(DATE(m.open_time_utc), MAKETIME(HOUR(m.open_time_utc), MINUTE(m.open_time_utc), 0))
      FROM kalshi_market m LEFT JOIN kalshi_event e ON e.event_ticker = m.event_ticker
      WHERE m.event_ticker IN :events AND m.open_time_utc >= :start AND m.open_time_utc < :end
    ) timed
  ) decision
  LEFT JOIN kalshi_candle_1m q ON q.market_ticker = decision.market_ticker
    AND q.bucket_start_utc = decision.quote_bucket_utc AND q.source = 'api_event'
) quote
