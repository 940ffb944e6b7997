-- The settled markets that were compared with the exchange's own volume, and that settled in the window.
SELECT r.market_ticker, s.settled_at_utc, r.trades_verdict, r.candles_verdict, r.exchange_volume, r.trade_volume,
  r.candle_volume, r.trades_reason, r.candles_reason
FROM kalshi_settlement s
JOIN kalshi_reconciliation r ON r.market_ticker = s.market_ticker
WHERE s.series_ticker = :series AND s.settled_at_utc >= :start AND s.settled_at_utc < :end
