-- The gaps of single scopes in what a job read of the whole exchange, each with the complete windows that cover some of
-- it ({is_whole}). A gap that was noted after such a reading began stays: the reading may have passed it by. So do those
-- of multivariate combinations, which are left out of the whole exchange.
SELECT g.scope, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason, g.since_utc,
  w.window_start_utc AS read_from_utc, w.window_end_utc AS read_to_utc
FROM kalshi_gap g
JOIN kalshi_checkpoint w ON w.job = g.job AND w.began >= g.number AND {is_whole}
  AND w.window_start_utc < g.window_end_utc AND w.window_end_utc > g.window_start_utc
WHERE g.job = :job AND g.scope <> '*' AND g.scope NOT LIKE :combos AND g.accepted_reason IS NULL
ORDER BY g.scope, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason, g.since_utc, read_from_utc
FOR UPDATE
