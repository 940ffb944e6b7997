-- The quotes of the given markets at the end of every :step minutes, from the table that has a row for every minute.
SELECT c.market_ticker AS market, c.bucket_start_utc AS at, c.yes_bid_close AS bid, c.yes_ask_close AS ask
FROM (
  SELECT market_ticker, MAX(bucket_start_utc) AS bucket_start_utc
  FROM kalshi_candle_1m_dense
  WHERE market_ticker IN :markets AND bucket_start_utc BETWEEN :since AND :until
  GROUP BY market_ticker, FLOOR(TIMESTAMPDIFF(MINUTE, :since, bucket_start_utc) / :step)
) sampled
JOIN kalshi_candle_1m_dense c ON c.market_ticker = sampled.market_ticker AND c.bucket_start_utc = sampled.bucket_start_utc
ORDER BY c.market_ticker, c.bucket_start_utc
LIMIT 20000
