-- The contracts traded in the given markets in every :step minutes, by the source of the candles.
SELECT market_ticker AS market, source, FLOOR(TIMESTAMPDIFF(MINUTE, :since, bucket_start_utc) / :step) AS number,
  SUM(volume) AS contracts
FROM kalshi_candle_1m
WHERE market_ticker IN :markets AND bucket_start_utc BETWEEN :since AND :until AND volume > 0
GROUP BY market_ticker, source, FLOOR(TIMESTAMPDIFF(MINUTE, :since, bucket_start_utc) / :step)
LIMIT 20000
