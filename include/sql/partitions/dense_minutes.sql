-- The dense minutes in the window.
SELECT * FROM kalshi_candle_1m_dense
WHERE market_ticker IN :markets AND bucket_start_utc >= :start AND bucket_start_utc < :end
