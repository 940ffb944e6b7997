-- The P&L of each series in these subaccounts, in dollars, as text rounded to the cent.
SELECT series_ticker AS series, COUNT(DISTINCT market_ticker) AS markets,
  CAST(SUM(quantity <> 0) AS SIGNED) AS open_markets, CAST(ROUND(SUM(cost_basis), 2) AS CHAR) AS cost_basis,
  CAST(ROUND(SUM(unrealized_pnl), 2) AS CHAR) AS unrealized_pnl, CAST(ROUND(SUM(traded_pnl), 2) AS CHAR) AS traded_pnl,
  CAST(ROUND(SUM(settled_pnl), 2) AS CHAR) AS settled_pnl, CAST(ROUND(SUM(fees), 2) AS CHAR) AS fees,
  CAST(ROUND(SUM(realized_pnl - fees), 2) AS CHAR) AS net_pnl
FROM kalshi_pnl_market
WHERE subaccount IN :subaccounts
GROUP BY series_ticker
ORDER BY series_ticker
