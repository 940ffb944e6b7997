-- Makes the state of every window of a job and scope say whether gaps are left in it. RUNNING windows are left to their
-- runs.
UPDATE kalshi_checkpoint w
LEFT JOIN (
  SELECT c.window_start_utc, c.window_end_utc, COUNT(*) AS gaps, MIN(g.reason) AS reason
  FROM kalshi_checkpoint c
  JOIN kalshi_gap g ON g.job = c.job AND g.scope = c.scope AND g.accepted_reason IS NULL
    AND g.window_start_utc < c.window_end_utc AND g.window_end_utc > c.window_start_utc
  WHERE c.job = :job AND c.scope = :scope
  GROUP BY c.window_start_utc, c.window_end_utc
) open ON open.window_start_utc = w.window_start_utc AND open.window_end_utc = w.window_end_utc
SET
  w.state = IF(open.gaps IS NULL, 'COMPLETE', 'FAILED'),
  w.error = IF(open.gaps IS NULL, NULL,
    CONCAT(open.gaps, IF(open.gaps = 1, ' gap', ' gaps'), ' in kalshi_gap, such as: ', open.reason))
WHERE w.job = :job AND w.scope = :scope AND (w.state = 'FAILED' OR w.state = 'COMPLETE' AND open.gaps > 0)
