-- Marks the rejected records of a window as resolved where no gap is left of them.
UPDATE kalshi_rejected_record r
SET r.resolved_at_utc = CURRENT_TIMESTAMP(6)
WHERE r.job = :job AND r.scope = :scope AND r.resolved_at_utc IS NULL
  AND r.window_start_utc < :end AND r.window_end_utc > :start
  AND NOT EXISTS (
    SELECT 1 FROM kalshi_gap g
    WHERE g.job = r.job AND g.scope = r.scope AND g.market_ticker IN ('', r.market_ticker)
      AND g.window_start_utc < r.window_end_utc AND g.window_end_utc > r.window_start_utc
  )
