-- For every job and scope that was ever read: the gaps that are left, since when the oldest of those, and the gaps that
-- a person has accepted. A gap isn't left while a run reads it: {being_read}.
SELECT job, scope, COALESCE(SUM(is_left), 0) AS gaps_left, MIN(IF(is_left, since_utc, NULL)) AS oldest_utc,
  COALESCE(SUM(accepted_reason IS NOT NULL), 0) AS accepted
FROM (
  SELECT every.job, every.scope, g.since_utc, g.accepted_reason,
    g.job IS NOT NULL AND g.accepted_reason IS NULL AND NOT {being_read} AS is_left
  FROM (
    SELECT job, scope FROM kalshi_checkpoint
    UNION
    SELECT job, scope FROM kalshi_gap
  ) every
  LEFT JOIN kalshi_gap g ON g.job = every.job AND g.scope = every.scope
) known
GROUP BY job, scope
ORDER BY job, scope
