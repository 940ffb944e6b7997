-- The minutes of the markets :tickers in which the exchange's own candles and the stored trades disagree.
-- Candles may count block trades or leave them out: a minute agrees if it does either way. Trades of the same instant
-- have no order, so a candle may open or close at any of their prices. :contracts and :dollars: tolerated differences of
-- the volume and of the mean.
WITH way AS (SELECT 1 AS counts_blocks UNION ALL SELECT 0),
trade AS (
  SELECT w.counts_blocks, t.market_ticker, t.executed_at_utc, t.yes_price, t.`count`,
    CAST(TIMESTAMPADD(MINUTE, TIMESTAMPDIFF(MINUTE, '2000-01-01', t.executed_at_utc), '2000-01-01') AS DATETIME(6))
      AS bucket_start_utc
  FROM kalshi_trade t JOIN way w ON w.counts_blocks OR NOT t.is_block_trade
  WHERE t.market_ticker IN :tickers
),
placed AS (
  SELECT trade.*,
    MIN(executed_at_utc) OVER (PARTITION BY counts_blocks, market_ticker, bucket_start_utc) AS first_at,
    MAX(executed_at_utc) OVER (PARTITION BY counts_blocks, market_ticker, bucket_start_utc) AS last_at
  FROM trade
),
traded AS (
  SELECT counts_blocks, market_ticker, bucket_start_utc, SUM(`count`) AS volume,
    MAX(yes_price) AS high, MIN(yes_price) AS low, SUM(yes_price * `count`) / NULLIF(SUM(`count`), 0) AS mean,
    MIN(IF(executed_at_utc = first_at, yes_price, NULL)) AS lowest_open,
    MAX(IF(executed_at_utc = first_at, yes_price, NULL)) AS highest_open,
    MIN(IF(executed_at_utc = last_at, yes_price, NULL)) AS lowest_close,
    MAX(IF(executed_at_utc = last_at, yes_price, NULL)) AS highest_close
  FROM placed GROUP BY counts_blocks, market_ticker, bucket_start_utc
),
candle AS (
  SELECT market_ticker, bucket_start_utc, volume, trade_open, trade_high, trade_low, trade_close, trade_mean
  FROM kalshi_candle_1m WHERE market_ticker IN :tickers AND source = 'api_event'
),
traded_minute AS (
  SELECT market_ticker, bucket_start_utc FROM traded
  UNION
  SELECT market_ticker, bucket_start_utc FROM candle
  WHERE COALESCE(volume, 0) <> 0 OR COALESCE(trade_open, trade_high, trade_low, trade_close) IS NOT NULL
)
SELECT m.market_ticker, m.bucket_start_utc
FROM traded_minute m
JOIN way w
LEFT JOIN candle c ON c.market_ticker = m.market_ticker AND c.bucket_start_utc = m.bucket_start_utc
LEFT JOIN traded t ON t.market_ticker = m.market_ticker AND t.bucket_start_utc = m.bucket_start_utc
  AND t.counts_blocks = w.counts_blocks
GROUP BY m.market_ticker, m.bucket_start_utc
HAVING NOT MAX(IF(
  t.market_ticker IS NULL,
  COALESCE(c.volume, 0) = 0 AND COALESCE(c.trade_open, c.trade_high, c.trade_low, c.trade_close) IS NULL,
  COALESCE(
    ABS(c.volume - t.volume) <= :contracts AND c.trade_high = t.high AND c.trade_low = t.low
      AND c.trade_open BETWEEN t.lowest_open AND t.highest_open
      AND c.trade_close BETWEEN t.lowest_close AND t.highest_close
      AND COALESCE(ABS(c.trade_mean - t.mean) <= :dollars, TRUE),
    FALSE
  )
))
ORDER BY m.market_ticker, m.bucket_start_utc
