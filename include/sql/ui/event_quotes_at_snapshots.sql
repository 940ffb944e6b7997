-- The quotes of an event's markets at a moment: those of the last snapshot until then.
SELECT p.market_ticker AS market, p.snapshot_at_utc AS at, p.yes_bid AS bid, p.yes_ask AS ask
FROM (
  SELECT m.market_ticker, (
    SELECT p.snapshot_at_utc FROM kalshi_price_snapshot p
    WHERE p.market_ticker = m.market_ticker AND p.snapshot_at_utc <= :moment
    ORDER BY p.snapshot_at_utc DESC LIMIT 1
  ) AS snapshot_at_utc
  FROM kalshi_market m
  WHERE m.event_ticker = :event
  LIMIT 2000
) latest
JOIN kalshi_price_snapshot p ON p.market_ticker = latest.market_ticker AND p.snapshot_at_utc = latest.snapshot_at_utc
