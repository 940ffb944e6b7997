-- What the quality runs :runs found of one rule, a row for each series and window, the worst first.
SELECT run_id, series_ticker AS series, window_start_utc, window_end_utc, severity, state, about, checked, violations,
  mostly, samples, query, updated_at_utc
FROM kalshi_quality_result
WHERE run_id IN :runs AND check_name = :check
ORDER BY FIELD(state, 'broken', 'failed', 'passed', 'empty'), violations DESC, series_ticker, window_start_utc
LIMIT 200
