-- What the candles that kalshi_retention has dropped left to the markets :tickers, as carried into the first minute that
-- is kept: its time, the quotes (null where the minute has its own), the open interest, the last trade. Not where candles
-- were read again up to that minute: then the last of those counts.
SELECT d.market_ticker, CAST(d.bucket_start_utc AS CHAR(19)),
  IF(d.source <=> 'api_event', NULL, CAST(d.yes_bid_open AS CHAR)),
  IF(d.source <=> 'api_event', NULL, CAST(d.yes_ask_open AS CHAR)),
  IF(d.source <=> 'api_event', NULL, CAST(d.open_interest AS CHAR)),
  CAST(d.trade_previous AS CHAR)
FROM (
  SELECT CAST(MAX(month) + INTERVAL 1 MONTH AS DATETIME) AS since FROM kalshi_dropped_month
  WHERE table_name = :candles AND state <> 'exporting'
) kept
JOIN kalshi_market m ON m.market_ticker IN :tickers AND m.open_time_utc < kept.since
JOIN kalshi_candle_1m_dense d ON d.market_ticker = m.market_ticker AND d.bucket_start_utc = kept.since
WHERE kept.since < :end AND NOT EXISTS (
  SELECT 1 FROM kalshi_checkpoint w
  JOIN kalshi_candle_1m c ON c.market_ticker = m.market_ticker AND c.source = 'api_event'
    AND c.bucket_start_utc >= w.window_start_utc AND c.bucket_start_utc < kept.since
  WHERE w.job = 'candles' AND w.scope IN (m.series_ticker, '*')
    AND w.window_start_utc < kept.since AND w.window_end_utc >= kept.since
)
