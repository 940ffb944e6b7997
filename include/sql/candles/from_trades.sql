-- One-minute candles of the markets :tickers from :start to :end, built from their public trades.
-- Within a minute, trades are ordered by time, then by id. The mean is weighted by contracts, as in the exchange's own
-- candles. Trades carry no quotes, so those columns stay null.
WITH trade AS (
  SELECT market_ticker, yes_price, `count`,
    TIMESTAMPADD(MINUTE, TIMESTAMPDIFF(MINUTE, '2000-01-01', executed_at_utc), '2000-01-01') AS bucket_start_utc,
    ROW_NUMBER() OVER (
      PARTITION BY market_ticker, TIMESTAMPDIFF(MINUTE, '2000-01-01', executed_at_utc)
      ORDER BY executed_at_utc, trade_id
    ) AS number,
    ROW_NUMBER() OVER (
      PARTITION BY market_ticker, TIMESTAMPDIFF(MINUTE, '2000-01-01', executed_at_utc)
      ORDER BY executed_at_utc DESC, trade_id DESC
    ) AS number_from_last
  FROM kalshi_trade
  WHERE market_ticker IN :tickers AND executed_at_utc >= :start AND executed_at_utc < :end
),
candle AS (
  SELECT market_ticker, bucket_start_utc,
    MAX(IF(number = 1, yes_price, NULL)) AS trade_open,
    MAX(yes_price) AS trade_high,
    MIN(yes_price) AS trade_low,
    MAX(IF(number_from_last = 1, yes_price, NULL)) AS trade_close,
    ROUND(SUM(yes_price * `count`) / SUM(`count`), 6) AS trade_mean,
    SUM(`count`) AS volume
  FROM trade GROUP BY market_ticker, bucket_start_utc
)
SELECT c.market_ticker, c.bucket_start_utc, 'trades' AS source, 1 AS period_minutes,
  NULL AS yes_bid_open, NULL AS yes_bid_high, NULL AS yes_bid_low, NULL AS yes_bid_close,
  NULL AS yes_ask_open, NULL AS yes_ask_high, NULL AS yes_ask_low, NULL AS yes_ask_close,
  c.trade_open, c.trade_high, c.trade_low, c.trade_close, c.trade_mean,
  (
    SELECT p.yes_price FROM kalshi_trade p
    WHERE p.market_ticker = c.market_ticker AND p.executed_at_utc < c.bucket_start_utc
    ORDER BY p.executed_at_utc DESC, p.trade_id DESC LIMIT 1
  ) AS trade_previous,
  c.trade_low AS trade_min, c.trade_high AS trade_max, c.volume, NULL AS open_interest
FROM candle c
