-- What a quality run found by category of the series, worst first.
SELECT COALESCE(s.category, '(none)') AS category, COUNT(*) AS series, CAST(SUM(found.errors > 0) AS SIGNED) AS errors,
  CAST(SUM(found.warnings > 0) AS SIGNED) AS warnings, CAST(SUM(found.violations) AS SIGNED) AS `rows`,
  CAST(COALESCE(SUM(covered.expected), 0) AS SIGNED) AS expected,
  CAST(COALESCE(SUM(covered.quoted), 0) AS SIGNED) AS quoted
FROM (
  SELECT series_ticker,
    SUM(state = 'broken' OR state = 'failed' AND severity = 'error') AS errors,
    SUM(state = 'failed' AND severity = 'warning') AS warnings,
    SUM(IF(state = 'failed' AND severity <> 'info', violations, 0)) AS violations
  FROM kalshi_quality_result WHERE run_id IN :runs
  GROUP BY series_ticker
) found
LEFT JOIN kalshi_series s ON s.series_ticker = found.series_ticker
LEFT JOIN (
  SELECT series_ticker, SUM(expected_minutes) AS expected, SUM(quoted_minutes) AS quoted
  FROM kalshi_coverage WHERE run_id IN :runs
  GROUP BY series_ticker
) covered ON covered.series_ticker = found.series_ticker
GROUP BY category
ORDER BY errors DESC, warnings DESC, category
