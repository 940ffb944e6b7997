-- The result of every check of a quality run, worst first.
SELECT series_ticker AS series, CAST(window_start_utc AS CHAR(16)) AS from_utc,
  CAST(window_end_utc AS CHAR(16)) AS to_utc, check_name AS `check`, table_name AS `table`, severity, state, about,
  checked, violations, CAST(mostly AS DOUBLE) AS mostly, samples, query
FROM kalshi_quality_result
WHERE run_id IN :runs
ORDER BY FIELD(severity, 'error', 'warning', 'info'), violations > 0 DESC, check_name, series_ticker,
  window_start_utc
