-- The trades and candles of every settled market that was compared add up to the exchange's own volume. The next run of
-- kalshi_reconciliation reads the others again.
SELECT market_ticker, trades_verdict, candles_verdict, exchange_volume, trade_volume, candle_volume, trades_reason,
  candles_reason
FROM {batch}
WHERE trades_verdict <> 'proven' OR candles_verdict <> 'proven'
