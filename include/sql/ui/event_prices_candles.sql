-- The quotes of the given markets at the last candle of every :step minutes. Candles built from trades have none.
SELECT c.market_ticker AS market, c.bucket_start_utc AS at, c.yes_bid_close AS bid, c.yes_ask_close AS ask
FROM (
  SELECT market_ticker, MAX(bucket_start_utc) AS bucket_start_utc
  FROM kalshi_candle_1m
  WHERE market_ticker IN :markets AND bucket_start_utc BETWEEN :since AND :until AND source = 'api_event'
  GROUP BY market_ticker, FLOOR(TIMESTAMPDIFF(MINUTE, :since, bucket_start_utc) / :step)
) sampled
JOIN kalshi_candle_1m c
  ON c.market_ticker = sampled.market_ticker AND c.bucket_start_utc = sampled.bucket_start_utc AND c.source = 'api_event'
ORDER BY c.market_ticker, c.bucket_start_utc
LIMIT 20000
