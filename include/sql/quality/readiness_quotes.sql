-- The prices and payouts of a backtest of these events, on top of decision_quotes.sql.
SELECT q.market_ticker, q.decision, q.event_ticker, q.candle_present, q.quote_known, q.yes_bid, q.yes_ask, q.spread,
  CASE t.result WHEN 'yes' THEN 1 WHEN 'no' THEN 0 ELSE t.settlement_value END AS payout,
  EXISTS (SELECT 1 FROM kalshi_candle_1m c WHERE c.market_ticker = q.market_ticker) AS has_candles
FROM ({quotes}) AS q
LEFT JOIN kalshi_settlement t ON t.market_ticker = q.market_ticker
ORDER BY q.market_ticker, q.decision
