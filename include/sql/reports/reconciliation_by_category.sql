-- The settled markets of these series that were compared, by category, and how many are proven; the worst first.
SELECT COALESCE(s.category, '(none)') AS category, COUNT(DISTINCT r.series_ticker) AS series, COUNT(*) AS settled,
  CAST(SUM(r.trades_verdict = 'proven' AND r.candles_verdict = 'proven') AS SIGNED) AS proven
FROM kalshi_reconciliation r
LEFT JOIN kalshi_series s ON s.series_ticker = r.series_ticker
WHERE r.series_ticker IN :series
GROUP BY category
ORDER BY SUM(r.trades_verdict = 'proven' AND r.candles_verdict = 'proven') / COUNT(*), category
