-- The bid and ask of the most traded markets of these series (or '*') in the latest snapshot, without empty books.
SELECT p.market_ticker AS market, m.series_ticker AS series, CAST(p.yes_bid AS CHAR) AS bid,
  CAST(p.yes_ask AS CHAR) AS ask, CAST(p.volume AS CHAR) AS volume
FROM kalshi_price_snapshot p
JOIN kalshi_market m ON m.market_ticker = p.market_ticker
WHERE p.snapshot_at_utc = (SELECT MAX(snapshot_at_utc) FROM kalshi_price_snapshot) AND NOT p.is_empty_book
  AND ('*' IN :series OR m.series_ticker IN :series)
ORDER BY p.volume DESC, p.market_ticker
LIMIT :most
