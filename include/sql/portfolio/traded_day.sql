-- Sums the fills of these markets by UTC day, and what they realised, into kalshi_traded_day.
INSERT INTO kalshi_traded_day (market_ticker, subaccount, day, traded_pnl, fees, fills, run_id)
SELECT market_ticker, subaccount, DATE(at_utc), SUM(realized_pnl), SUM(fee_cost), SUM(fills), :run_id
FROM (
  SELECT market_ticker, subaccount, executed_at_utc AS at_utc, 0 AS realized_pnl, fee_cost, 1 AS fills
  FROM kalshi_lot
  WHERE subaccount = :subaccount AND market_ticker IN :markets
  UNION ALL
  SELECT market_ticker, subaccount, closed_at_utc, realized_pnl, 0, 0
  FROM kalshi_closed_lot
  WHERE subaccount = :subaccount AND market_ticker IN :markets
) traded
GROUP BY market_ticker, subaccount, DATE(at_utc);
