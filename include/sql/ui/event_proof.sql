-- Whether the volume of the event's markets is proven.
SELECT r.market_ticker AS market, r.exchange_volume, r.trade_volume, r.candle_volume, r.trades_verdict,
  r.candles_verdict, r.trades_reason, r.candles_reason
FROM kalshi_market m
JOIN kalshi_reconciliation r ON r.market_ticker = m.market_ticker
WHERE m.event_ticker = :event
LIMIT 2000
