-- The realised P&L less fees of each day, subaccount and series, in dollars, as numbers for the chart.
SELECT DATE_FORMAT(day, '%Y-%m-%d') AS day, CAST(subaccount AS CHAR) AS subaccount, series_ticker AS series,
  CAST(realized_pnl - fees AS DOUBLE) AS net_pnl
FROM kalshi_pnl_day
WHERE subaccount IN :subaccounts
ORDER BY day, subaccount, series
