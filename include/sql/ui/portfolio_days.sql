-- What each series earned on each day, realised, and the fees of that day's fills: as the view kalshi_pnl_day, but
-- without reading all markets (LEFT JOIN: MariaDB would begin with them).
SELECT earned.day, market.series_ticker AS series, SUM(earned.realized_pnl) AS realized, SUM(earned.fees) AS fees,
  SUM(earned.realized_pnl - earned.fees) AS net
FROM (
  SELECT DATE(closed_at_utc) AS day, market_ticker, subaccount, realized_pnl, 0 AS fees FROM kalshi_closed_lot
  UNION ALL
  SELECT DATE(settled_at_utc), market_ticker, subaccount, settled_pnl, 0 FROM kalshi_pnl_market WHERE settled_pnl <> 0
  UNION ALL
  SELECT DATE(executed_at_utc), market_ticker, subaccount, 0, fee_cost FROM kalshi_fill
) earned
LEFT JOIN kalshi_market market ON market.market_ticker = earned.market_ticker
WHERE earned.subaccount IN :subaccounts AND (:series = '' OR market.series_ticker = :series)
GROUP BY earned.day, market.series_ticker
ORDER BY earned.day, market.series_ticker
LIMIT 100000
