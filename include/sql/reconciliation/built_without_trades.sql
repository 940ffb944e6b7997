-- The minutes of a market that have a candle built from trades, but no trade.
SELECT c.bucket_start_utc
FROM kalshi_candle_1m c
WHERE c.market_ticker = :ticker AND c.source = 'trades' AND NOT EXISTS (
  SELECT 1 FROM kalshi_trade t
  WHERE t.market_ticker = c.market_ticker AND t.executed_at_utc >= c.bucket_start_utc
    AND t.executed_at_utc < c.bucket_start_utc + INTERVAL 1 MINUTE
)
