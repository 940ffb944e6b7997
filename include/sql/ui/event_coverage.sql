-- The coverage of the event's markets, according to the latest quality run of each day.
SELECT market_ticker AS market, CAST(SUM(expected_minutes) AS SIGNED) AS expected,
  CAST(SUM(present_minutes) AS SIGNED) AS present, CAST(SUM(quoted_minutes) AS SIGNED) AS quoted,
  MAX(longest_gap_minutes) AS longest_gap, MAX(widest_spread) AS widest_spread
FROM kalshi_coverage_latest
WHERE market_ticker IN :markets
GROUP BY market_ticker
