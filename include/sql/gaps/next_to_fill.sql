-- The gaps of a job that a run should read next: of those of its scope that touch its window (:inside) or of the others
-- (:anywhere: those of every scope but combinations', too), the least tried and then the oldest, if they begin :before
-- this time. A gap waits while its market is missing from a parent job, or while another run reads it: {being_read};
-- outside the window also dense minutes whose candles come later: {awaits_candles}. A catalog is read by the runs of its
-- own scope, as its windows aren't times of data; only single markets are looked up.
SELECT g.scope, g.market_ticker, g.window_start_utc, g.window_end_utc, g.reason
FROM kalshi_gap g
WHERE g.job = :job
  AND (g.scope = :scope
    OR :anywhere AND g.scope NOT LIKE :combos AND (g.job <> 'catalog' OR g.market_ticker NOT IN :nameless))
  AND g.accepted_reason IS NULL AND g.run_id <> :run_id
  AND (g.scope = :scope AND g.window_start_utc < :end AND g.window_end_utc > :start) = :inside
  AND (:before IS NULL OR g.window_start_utc < :before)
  AND NOT EXISTS (
    SELECT 1 FROM kalshi_gap p WHERE p.job IN :parents AND p.scope IN (g.scope, '*')
      AND p.market_ticker = g.market_ticker AND p.market_ticker <> '' AND p.accepted_reason IS NULL
  )
  AND (:inside OR NOT ({being_read} OR {awaits_candles}))
-- The window itself comes first: it may fill the others.
ORDER BY g.market_ticker <> '', g.window_start_utc <> :start OR g.window_end_utc <> :end, g.attempts,
  g.window_start_utc
LIMIT :most
