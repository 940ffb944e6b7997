-- The markets of a series (*: of all) to look up: past their close without a settlement, or settled although the market now
-- contradicts it. A market that has been final without a result for a week won't get one.
SELECT m.market_ticker
FROM kalshi_market m
LEFT JOIN kalshi_settlement s ON s.market_ticker = m.market_ticker
WHERE (:series = '*' OR m.series_ticker = :series) AND (
  s.market_ticker IS NULL AND m.close_time_utc < UTC_TIMESTAMP(6) AND NOT COALESCE(
    m.status IN ('finalized', 'settled') AND m.result IS NULL
      AND m.close_time_utc < UTC_TIMESTAMP(6) - INTERVAL 7 DAY,
    FALSE
  )
  OR s.market_ticker IS NOT NULL AND (
    m.status NOT IN ('finalized', 'settled') OR m.result <> s.result OR NOT m.settlement_value <=> s.settlement_value
  )
)
ORDER BY m.market_ticker
