-- Of the tables that grow with time, those that aren't compressed.
SELECT table_name FROM information_schema.tables
WHERE table_schema = DATABASE()
  AND table_name IN (
    'kalshi_candle_1m', 'kalshi_candle_1m_dense', 'kalshi_trade', 'kalshi_price_snapshot', 'kalshi_coverage',
    'kalshi_decision_coverage'
  )
  AND create_options NOT LIKE '%COMPRESSION="zlib"%' AND create_options NOT LIKE '%PAGE_COMPRESSED%=%1%'
ORDER BY table_name
