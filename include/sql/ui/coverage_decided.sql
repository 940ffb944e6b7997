-- How many markets each event, or each month's events, had to decide about up to now, by decision.
SELECT e.series_ticker AS series, IF(:by = 'month', '', e.event_ticker) AS event,
  CAST(IF(:by = 'month', e.event_date - INTERVAL DAY(e.event_date) - 1 DAY, e.event_date) AS CHAR) AS day, d.decision,
  CAST(SUM((SELECT COUNT(*) FROM kalshi_market m WHERE m.event_ticker = e.event_ticker)) AS SIGNED) AS markets
FROM kalshi_event e
JOIN kalshi_decision_time d ON d.event_ticker = e.event_ticker AND d.decided_at_utc <= :now
WHERE e.series_ticker IN :series AND e.event_date BETWEEN :first AND :last
GROUP BY 1, 2, 3, 4
LIMIT 60000
