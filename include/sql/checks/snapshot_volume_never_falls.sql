-- A market's volume never falls from one snapshot to the next.
SELECT market_ticker, snapshot_at_utc, volume, volume_before
FROM (
  SELECT market_ticker, snapshot_at_utc, volume,
    LAG(volume) OVER (PARTITION BY market_ticker ORDER BY snapshot_at_utc) AS volume_before
  FROM {batch}
) AS followed
WHERE volume < volume_before
