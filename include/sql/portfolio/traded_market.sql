-- Sums the lots of these markets, into kalshi_traded_market.
INSERT INTO kalshi_traded_market (market_ticker, subaccount, quantity, yes_open, no_open, open_cost, traded_pnl, fees,
  fills, last_fill_utc, run_id)
SELECT
  market_ticker,
  subaccount,
  SUM(IF(outcome = 'yes', quantity, -quantity)),
  SUM(IF(outcome = 'yes', open_quantity, 0)),
  SUM(IF(outcome = 'no', open_quantity, 0)),
  SUM(open_quantity * price),
  SUM(IF(outcome = 'yes', quantity - open_quantity, 0)) - SUM((quantity - open_quantity) * price),
  SUM(fee_cost),
  COUNT(*),
  MAX(executed_at_utc),
  :run_id
FROM kalshi_lot
WHERE subaccount = :subaccount AND market_ticker IN :markets
GROUP BY market_ticker, subaccount;
