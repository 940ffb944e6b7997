-- The quotes at one decision of the markets that settled yes or no: how many markets had each bid and ask, how many of
-- them won, and how their trades are charged.
SELECT d.yes_bid AS bid, d.yes_ask AS ask, COALESCE(o.fee_type, s.fee_type) AS fee_type,
  COALESCE(o.fee_multiplier, CAST(s.fee_multiplier AS CHAR)) AS fee_multiplier, COUNT(*) AS markets,
  CAST(SUM(m.result = 'yes') AS SIGNED) AS won
FROM kalshi_decision_coverage d
STRAIGHT_JOIN kalshi_market m ON m.market_ticker = d.market_ticker AND m.result IN ('yes', 'no')
LEFT JOIN kalshi_series s ON s.series_ticker = d.series_ticker
LEFT JOIN (
  SELECT event_ticker, NULLIF(JSON_UNQUOTE(JSON_EXTRACT(raw_json, '$.fee_type_override')), 'null') AS fee_type,
    NULLIF(JSON_UNQUOTE(JSON_EXTRACT(raw_json, '$.fee_multiplier_override')), 'null') AS fee_multiplier
  FROM kalshi_event
  WHERE series_ticker IN :series AND event_date BETWEEN :first AND :last AND raw_json LIKE '%_override%'
  HAVING fee_type IS NOT NULL OR fee_multiplier IS NOT NULL
) o ON o.event_ticker = d.event_ticker
WHERE d.is_latest = 1 AND d.series_ticker IN :series AND d.event_date BETWEEN :first AND :last
  AND d.decision = :decision AND d.quote_known AND d.yes_ask - d.yes_bid <= :spread
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2
LIMIT 20000
