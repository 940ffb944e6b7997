-- Of the settled markets that were compared with the exchange's own volume, by series: those whose trades and candles are
-- proven, those that differ, those not read in full; the series with the fewest proven first.
SELECT r.series_ticker AS series, MAX(s.category) AS category, COUNT(*) AS markets,
  CAST(SUM(trades_verdict = 'proven' AND candles_verdict = 'proven') AS SIGNED) AS proven,
  CAST(SUM(trades_verdict IN ('short', 'over') OR candles_verdict IN ('short', 'over')) AS SIGNED) AS differing,
  CAST(SUM(trades_verdict = 'unread' OR candles_verdict = 'unread') AS SIGNED) AS unread,
  MIN(IF(trades_verdict = 'proven' AND candles_verdict = 'proven', NULL, r.updated_at_utc)) AS since_utc,
  MAX(checked_at_utc) AS checked_at_utc
FROM kalshi_reconciliation r
LEFT JOIN kalshi_series s ON s.series_ticker = r.series_ticker
GROUP BY r.series_ticker
ORDER BY SUM(trades_verdict = 'proven' AND candles_verdict = 'proven') / COUNT(*), r.series_ticker
LIMIT 20000
