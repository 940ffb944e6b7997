-- What each series earned in these days, the largest gain first.
SELECT series_ticker AS series, SUM(realized_pnl) AS realized, SUM(fees) AS fees, SUM(realized_pnl - fees) AS net
FROM kalshi_pnl_day
WHERE subaccount IN :subaccounts AND day BETWEEN :first AND :last AND (:series = '' OR series_ticker = :series)
GROUP BY series_ticker
ORDER BY net DESC, series_ticker
LIMIT 1000
