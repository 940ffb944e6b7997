-- The gaps of single scopes in what a job read of the whole exchange, each with the complete windows that cover some of
-- it. A gap that was noted after such a reading began stays: the reading may have passed it by.
SELECT g.scope, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason, g.since_utc,
  w.window_start_utc AS read_from_utc, w.window_end_utc AS read_to_utc
FROM kalshi_gap g
JOIN kalshi_checkpoint w ON w.job = g.job AND w.scope = '*' AND w.state = 'COMPLETE' AND w.began >= g.number
  AND w.window_start_utc < g.window_end_utc AND w.window_end_utc > g.window_start_utc
WHERE g.job = :job AND g.scope <> '*' AND g.accepted_reason IS NULL
ORDER BY g.scope, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason, g.since_utc, read_from_utc
FOR UPDATE
