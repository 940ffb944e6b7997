-- The last snapshot of every :step minutes of the given markets.
SELECT p.market_ticker AS market, p.snapshot_at_utc AS at, p.yes_bid AS bid, p.yes_ask AS ask, p.volume
FROM (
  SELECT market_ticker, MAX(snapshot_at_utc) AS snapshot_at_utc
  FROM kalshi_price_snapshot
  WHERE market_ticker IN :markets AND snapshot_at_utc BETWEEN :since AND :until
  GROUP BY market_ticker, FLOOR(TIMESTAMPDIFF(MINUTE, :since, snapshot_at_utc) / :step)
) sampled
JOIN kalshi_price_snapshot p
  ON p.market_ticker = sampled.market_ticker AND p.snapshot_at_utc = sampled.snapshot_at_utc
ORDER BY p.market_ticker, p.snapshot_at_utc
LIMIT 20000
