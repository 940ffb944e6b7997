-- The volume of the markets :tickers according to the exchange and to the stored trades and candles, what was found
-- when they were last compared, and when they were last read again. {trades_checksum} and {candles_checksum}: a
-- checksum of all columns of the rows.
SELECT m.market_ticker, m.open_time_utc, m.close_time_utc, m.volume, COALESCE(t.blocks, 0),
  COALESCE(t.number, 0), COALESCE(t.volume, 0), COALESCE(t.checksum, 0), r.trades_checksum,
  COALESCE(c.number, 0), COALESCE(c.volume, 0), COALESCE(c.checksum, 0), r.candles_checksum,
  COALESCE(r.trades_verdict = 'proven' AND r.candles_verdict = 'proven', FALSE),
  r.differing_minutes, COALESCE(r.readings, 0), r.read_again_at_utc, r.read_again_checksum
FROM kalshi_market m
LEFT JOIN (
  SELECT market_ticker, COUNT(*) AS number, COALESCE(SUM(`count`), 0) AS volume,
    SUM(IF(is_block_trade, `count`, 0)) AS blocks, {trades_checksum} AS checksum
  FROM kalshi_trade
  WHERE market_ticker IN :tickers
  GROUP BY market_ticker
) t ON t.market_ticker = m.market_ticker
LEFT JOIN (
  SELECT market_ticker, COUNT(*) AS number, COALESCE(SUM(volume), 0) AS volume, {candles_checksum} AS checksum
  FROM kalshi_candle_1m
  WHERE market_ticker IN :tickers AND source = 'api_event'
  GROUP BY market_ticker
) c ON c.market_ticker = m.market_ticker
LEFT JOIN kalshi_reconciliation r ON r.market_ticker = m.market_ticker
WHERE m.market_ticker IN :tickers
