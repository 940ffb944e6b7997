-- What the quality runs :runs found (of one :series, unless empty): a row for each rule and series that breaks it, by the
-- worst of its windows, and one for all series in which the rule holds, or which have nothing to check.
SELECT `check`, IF(state IN ('broken', 'failed'), series, '') AS series, MAX(`table`) AS `table`, MAX(about) AS about,
  ELT(MIN(FIELD(severity, 'error', 'warning', 'info')), 'error', 'warning', 'info') AS severity, state,
  CAST(SUM(checked) AS SIGNED) AS checked, CAST(SUM(violations) AS SIGNED) AS violations, MIN(mostly) AS mostly,
  CAST(SUM(broken_windows) AS SIGNED) AS broken_windows, CAST(SUM(windows) AS SIGNED) AS windows,
  COUNT(*) AS series_count
FROM (
  SELECT check_name AS `check`, series_ticker AS series, MAX(table_name) AS `table`, MAX(about) AS about,
    ELT(MIN(FIELD(severity, 'error', 'warning', 'info')), 'error', 'warning', 'info') AS severity,
    ELT(MIN(FIELD(state, 'broken', 'failed', 'passed', 'empty')), 'broken', 'failed', 'passed', 'empty') AS state,
    SUM(checked) AS checked, SUM(violations) AS violations, MIN(mostly) AS mostly,
    SUM(state IN ('broken', 'failed')) AS broken_windows, COUNT(*) AS windows
  FROM kalshi_quality_result
  WHERE run_id IN :runs AND (:series = '' OR series_ticker = :series)
  GROUP BY check_name, series_ticker
) by_series
GROUP BY `check`, state, IF(state IN ('broken', 'failed'), series, '')
ORDER BY `check`, series
LIMIT 20000
