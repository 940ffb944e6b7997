-- At each decision, of each event or of each month's events: in how many markets a quote was known, and how many spreads
-- were no wider than quality.max_spread with a price on both sides, according to the latest quality run.
SELECT series, IF(:by = 'month', '', event) AS event,
  CAST(IF(:by = 'month', event_date - INTERVAL DAY(event_date) - 1 DAY, event_date) AS CHAR) AS day, decision,
  CAST(SUM(quoted) AS SIGNED) AS quoted, CAST(SUM(fillable) AS SIGNED) AS fillable
FROM (
  SELECT series_ticker AS series, event_ticker AS event, event_date, decision, SUM(quote_known) AS quoted,
    COALESCE(SUM(quote_known AND yes_bid > 0 AND yes_ask < 1 AND yes_ask - yes_bid <= :max_spread), 0) AS fillable
  FROM kalshi_decision_coverage
  WHERE is_latest = 1 AND series_ticker IN :series AND event_date BETWEEN :first AND :last
  GROUP BY series_ticker, event_date, event_ticker, decision
) decided
GROUP BY 1, 2, 3, 4
LIMIT 60000
