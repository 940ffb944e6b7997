-- What the quality runs :runs found, a row for each rule and series: the worst of its windows.
SELECT check_name AS `check`, series_ticker AS series, MAX(table_name) AS `table`, MAX(about) AS about,
  ELT(MIN(FIELD(severity, 'error', 'warning', 'info')), 'error', 'warning', 'info') AS severity,
  ELT(MIN(FIELD(state, 'broken', 'failed', 'passed', 'empty')), 'broken', 'failed', 'passed', 'empty') AS state,
  CAST(SUM(checked) AS SIGNED) AS checked, CAST(SUM(violations) AS SIGNED) AS violations, MIN(mostly) AS mostly,
  SUM(state IN ('broken', 'failed')) AS broken_windows, COUNT(*) AS windows
FROM kalshi_quality_result
WHERE run_id IN :runs
GROUP BY check_name, series_ticker
ORDER BY check_name, series_ticker
LIMIT 5000
