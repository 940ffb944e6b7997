-- The latest events of a series to backtest: settled ones first, then closed ones.
SELECT e.event_ticker, e.event_date,
  COALESCE(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(e.raw_json, '$.fee_type_override')), 'null'), s.fee_type) AS fee_type,
  COALESCE(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(e.raw_json, '$.fee_multiplier_override')), 'null'), s.fee_multiplier) AS fee_multiplier
FROM kalshi_event e
LEFT JOIN kalshi_series s ON s.series_ticker = e.series_ticker
JOIN kalshi_market m ON m.event_ticker = e.event_ticker
LEFT JOIN kalshi_settlement t ON t.market_ticker = m.market_ticker
WHERE e.series_ticker = :series AND e.event_date <= DATE(:end)
GROUP BY e.event_ticker, e.event_date, fee_type, fee_multiplier
HAVING MAX(m.close_time_utc) <= :end
ORDER BY COUNT(t.market_ticker) > 0 DESC, e.event_date DESC
LIMIT :limit
