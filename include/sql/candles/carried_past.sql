-- The markets :tickers whose dense minutes from :at on carry quotes from before :end, each with the last of those
-- minutes before :until.
SELECT d.market_ticker, MAX(d.bucket_start_utc)
FROM kalshi_candle_1m_dense d
WHERE d.market_ticker IN :tickers AND d.bucket_start_utc >= :at AND d.bucket_start_utc < :until AND NOT EXISTS (
  SELECT 1 FROM kalshi_candle_1m c
  WHERE c.market_ticker = d.market_ticker AND c.source = 'api_event'
    AND c.bucket_start_utc >= :end AND c.bucket_start_utc <= :at
)
GROUP BY d.market_ticker
