-- What each day earned, realised, and the fees of that day's fills: as the view kalshi_pnl_day, without its series.
SELECT day, SUM(realized) AS realized, SUM(fees) AS fees, SUM(realized - fees) AS net
FROM (
  SELECT day, traded_pnl AS realized, fees
  FROM kalshi_traded_day
  WHERE subaccount IN :subaccounts
    AND (:series = '' OR market_ticker IN (SELECT market_ticker FROM kalshi_market WHERE series_ticker = :series))
  UNION ALL
  SELECT DATE(settled_at_utc), settled_pnl, 0
  FROM kalshi_pnl_market
  WHERE settled_pnl <> 0 AND subaccount IN :subaccounts AND (:series = '' OR series_ticker = :series)
) earned
GROUP BY day
ORDER BY day
LIMIT 100000
