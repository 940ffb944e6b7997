-- The markets of a quality run with the most minutes in which no quote was known.
SELECT market_ticker AS market, CAST(utc_day AS CHAR) AS day, expected_minutes AS expected,
  missing_minutes AS missing, expected_minutes - quoted_minutes AS unquoted, longest_gap_minutes AS longest_gap,
  minutes_open_to_first AS open_to_first, minutes_last_to_close AS last_to_close
FROM kalshi_coverage
WHERE run_id IN :runs
ORDER BY unquoted DESC, missing_minutes DESC, market_ticker
LIMIT :most
