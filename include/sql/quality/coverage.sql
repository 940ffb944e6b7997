-- Coverage of the given markets on one UTC day: expected and present minutes, gaps, quotes, spreads.
-- A market without a candle is 100 % missing. :until is the end of the day, or the time of the run if that is earlier.
INSERT INTO kalshi_coverage (
  run_id, market_ticker, utc_day, event_ticker, series_ticker, event_date, expected_minutes, present_minutes,
  missing_minutes, quoted_minutes, longest_gap_minutes, minutes_open_to_first, minutes_last_to_close, candles,
  empty_books, mean_spread, widest_spread)
WITH life AS (
  -- The minutes in which each market is open on that day, from the minute it opens to the minute it closes.
  SELECT m.market_ticker, m.event_ticker, m.series_ticker, e.event_date, m.open_time_utc, m.close_time_utc,
    GREATEST(TIMESTAMP(DATE(m.open_time_utc), MAKETIME(HOUR(m.open_time_utc), MINUTE(m.open_time_utc), 0)), :day)
      AS first_minute,
    LEAST(m.close_time_utc, :until) AS ends_at
  FROM kalshi_market m LEFT JOIN kalshi_event e ON e.event_ticker = m.event_ticker
  WHERE m.market_ticker IN :markets AND m.open_time_utc < :until AND m.close_time_utc > :day
),
minute AS (
  -- One row per minute, from any source; quotes come only from the exchange's own candles.
  SELECT c.market_ticker, c.bucket_start_utc, COUNT(*) AS candles, MAX(c.yes_bid_close) AS bid,
    MAX(c.yes_ask_close) AS ask
  FROM kalshi_candle_1m c
  WHERE c.market_ticker IN :markets AND c.bucket_start_utc >= :day - INTERVAL :quote_minutes MINUTE
    AND c.bucket_start_utc < :until
  GROUP BY c.market_ticker, c.bucket_start_utc
),
neighbours AS (
  SELECT minute.*,
    LAG(bucket_start_utc) OVER (PARTITION BY market_ticker ORDER BY bucket_start_utc) AS bucket_before,
    LEAD(bucket_start_utc) OVER (PARTITION BY market_ticker, bid IS NULL ORDER BY bucket_start_utc) AS next_quote,
    COALESCE(bid > 0 OR ask < 1, FALSE) AS is_quoted
  FROM minute
),
measured AS (
  SELECT life.*, n.bucket_start_utc, n.candles, n.bid, n.ask, n.is_quoted,
    n.bucket_start_utc >= life.first_minute AS is_inside,
    CASE WHEN n.bucket_before >= life.first_minute
      THEN TIMESTAMPDIFF(MINUTE, n.bucket_before, n.bucket_start_utc) - 1
      ELSE TIMESTAMPDIFF(MINUTE, life.first_minute, n.bucket_start_utc) END AS gap_before,
    -- A quote is valid until the next one, but no longer than :quote_minutes after its own minute.
    CASE WHEN n.is_quoted THEN GREATEST(0, TIMESTAMPDIFF(MINUTE, GREATEST(n.bucket_start_utc, life.first_minute),
      LEAST(COALESCE(n.next_quote, life.ends_at), n.bucket_start_utc + INTERVAL (:quote_minutes + 1) MINUTE,
        life.ends_at))) ELSE 0 END AS quoted
  FROM life LEFT JOIN neighbours n ON n.market_ticker = life.market_ticker AND n.bucket_start_utc < life.ends_at
),
total AS (
  SELECT market_ticker, event_ticker, series_ticker, event_date, open_time_utc, close_time_utc, first_minute, ends_at,
    CEILING(TIMESTAMPDIFF(SECOND, first_minute, ends_at) / 60) AS expected,
    COUNT(CASE WHEN is_inside THEN 1 END) AS present,
    COALESCE(SUM(quoted), 0) AS quoted,
    COALESCE(MAX(CASE WHEN is_inside THEN gap_before END), 0) AS longest_gap,
    MIN(CASE WHEN is_inside THEN bucket_start_utc END) AS first_bucket,
    MAX(CASE WHEN is_inside THEN bucket_start_utc END) AS last_bucket,
    COALESCE(SUM(CASE WHEN is_inside THEN candles END), 0) AS candles,
    COUNT(CASE WHEN is_inside AND bid <= 0 AND ask >= 1 THEN 1 END) AS empty_books,
    AVG(CASE WHEN is_inside AND is_quoted THEN ask - bid END) AS mean_spread,
    MAX(CASE WHEN is_inside AND is_quoted THEN ask - bid END) AS widest_spread
  FROM measured
  GROUP BY market_ticker, event_ticker, series_ticker, event_date, open_time_utc, close_time_utc, first_minute, ends_at
)
SELECT :run_id, market_ticker, :day, event_ticker, series_ticker, event_date, expected, present,
  expected - present, quoted,
  CASE WHEN present = 0 THEN expected
    ELSE GREATEST(longest_gap, TIMESTAMPDIFF(MINUTE, last_bucket, ends_at) - 1) END,
  CASE WHEN open_time_utc >= :day THEN TIMESTAMPDIFF(MINUTE, first_minute, first_bucket) END,
  CASE WHEN close_time_utc <= :until THEN TIMESTAMPDIFF(MINUTE, last_bucket, close_time_utc) - 1 END,
  candles, empty_books, mean_spread, widest_spread
FROM total;
