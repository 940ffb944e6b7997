-- A minute without a candle from the exchange carries the closing quotes of the minute before; the first that is kept after
-- a month of dropped candles, what those had left to it.
SELECT market_ticker, bucket_start_utc, yes_bid_open, yes_bid_close, bid_before, yes_ask_open, yes_ask_close, ask_before
FROM (
  SELECT d.*,
    LAG(bucket_start_utc) OVER (PARTITION BY market_ticker ORDER BY bucket_start_utc) AS minute_before_utc,
    LAG(yes_bid_close) OVER (PARTITION BY market_ticker ORDER BY bucket_start_utc) AS bid_before,
    LAG(yes_ask_close) OVER (PARTITION BY market_ticker ORDER BY bucket_start_utc) AS ask_before
  FROM {batch} AS d
) AS minutes
WHERE minute_before_utc IS NOT NULL AND NOT source <=> 'api_event'
  AND NOT (yes_bid_open <=> bid_before AND yes_bid_close <=> bid_before
    AND yes_ask_open <=> ask_before AND yes_ask_close <=> ask_before)
  AND NOT EXISTS (
    SELECT 1 FROM kalshi_dropped_month
    WHERE table_name = 'kalshi_candle_1m' AND month + INTERVAL 1 MONTH = bucket_start_utc)
