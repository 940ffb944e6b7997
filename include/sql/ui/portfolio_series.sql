-- What each series earned in these days, the largest gain first: as the view kalshi_pnl_day.
SELECT series, SUM(realized) AS realized, SUM(fees) AS fees, SUM(realized - fees) AS net
FROM (
  SELECT m.series_ticker AS series, d.traded_pnl AS realized, d.fees
  FROM kalshi_traded_day d
  JOIN kalshi_market m ON m.market_ticker = d.market_ticker
  WHERE d.subaccount IN :subaccounts AND d.day BETWEEN :first AND :last
  UNION ALL
  SELECT series_ticker, settled_pnl, 0
  FROM kalshi_pnl_market
  WHERE settled_pnl <> 0 AND subaccount IN :subaccounts AND settled_at_utc >= :since AND settled_at_utc < :until
) earned
WHERE :series = '' OR series = :series
GROUP BY series
ORDER BY net DESC, series
LIMIT 1000
