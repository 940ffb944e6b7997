-- The coverage of a quality run by series. The mean spread is weighted by minutes with a candle.
SELECT series_ticker AS series,
  COUNT(DISTINCT market_ticker) AS markets, CAST(SUM(expected_minutes) AS SIGNED) AS expected,
  CAST(SUM(present_minutes) AS SIGNED) AS present, CAST(SUM(quoted_minutes) AS SIGNED) AS quoted,
  MAX(longest_gap_minutes) AS longest_gap, CAST(SUM(empty_books) AS SIGNED) AS empty_books,
  CAST(ROUND(SUM(mean_spread * present_minutes)
    / SUM(CASE WHEN mean_spread IS NOT NULL THEN present_minutes END), 4) AS CHAR) AS mean_spread,
  CAST(ROUND(MAX(widest_spread), 4) AS CHAR) AS widest_spread
FROM kalshi_coverage
WHERE run_id IN :runs
GROUP BY series_ticker
ORDER BY series_ticker
