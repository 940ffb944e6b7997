-- The markets that settled yes or no, with their quotes at one decision, in a range of prices; the newest events first.
SELECT d.event_ticker AS event, d.series_ticker AS series, d.event_date AS day, d.market_ticker AS market,
  COALESCE(NULLIF(m.yes_sub_title, ''), d.market_ticker) AS bracket, d.yes_bid AS bid, d.yes_ask AS ask, m.result,
  m.expiration_value
FROM kalshi_decision_coverage d
STRAIGHT_JOIN kalshi_market m ON m.market_ticker = d.market_ticker AND m.result IN ('yes', 'no')
WHERE d.is_latest = 1 AND d.series_ticker IN :series AND d.event_date BETWEEN :first AND :last
  AND d.decision = :decision AND d.quote_known AND d.yes_ask - d.yes_bid <= :spread
  AND CASE :price WHEN 'bid' THEN d.yes_bid WHEN 'ask' THEN d.yes_ask ELSE (d.yes_bid + d.yes_ask) / 2 END >= :low
  AND CASE :price WHEN 'bid' THEN d.yes_bid WHEN 'ask' THEN d.yes_ask ELSE (d.yes_bid + d.yes_ask) / 2 END < :high
ORDER BY d.event_date DESC, d.series_ticker, d.market_ticker
LIMIT :most
