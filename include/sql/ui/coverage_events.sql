-- Each event, or each month's events together: the minutes of their markets' lives up to now, how many markets are
-- settled, proven to have all their trades and candles, and traded.
SELECT series, IF(:by = 'month', '', event) AS event,
  CAST(IF(:by = 'month', event_date - INTERVAL DAY(event_date) - 1 DAY, event_date) AS CHAR) AS day,
  COUNT(*) AS events, CAST(SUM(markets) AS SIGNED) AS markets, MIN(opens) AS opens, MAX(closes) AS closes,
  CAST(SUM(minutes) AS SIGNED) AS minutes, CAST(SUM(opened) AS SIGNED) AS opened,
  CAST(SUM(settled) AS SIGNED) AS settled, CAST(SUM(compared) AS SIGNED) AS compared,
  CAST(SUM(proven) AS SIGNED) AS proven, CAST(SUM(traded) AS SIGNED) AS traded, CAST(SUM(trades) AS SIGNED) AS trades
FROM (
  SELECT e.series_ticker AS series, e.event_ticker AS event, e.event_date, COUNT(m.market_ticker) AS markets,
    MIN(m.open_time_utc) AS opens, MAX(m.close_time_utc) AS closes,
    COALESCE(SUM(GREATEST(0, CEILING(TIMESTAMPDIFF(SECOND,
      TIMESTAMP(DATE(m.open_time_utc), MAKETIME(HOUR(m.open_time_utc), MINUTE(m.open_time_utc), 0)),
      LEAST(m.close_time_utc, :now)) / 60))), 0) AS minutes,
    COALESCE(SUM(m.open_time_utc <= :now), 0) AS opened, COUNT(m.result) AS settled,
    COUNT(r.market_ticker) AS compared,
    COALESCE(SUM(r.trades_verdict = 'proven' AND r.candles_verdict = 'proven'), 0) AS proven,
    COALESCE(SUM(r.trades > 0), 0) AS traded, COALESCE(SUM(r.trades), 0) AS trades
  FROM kalshi_event e
  LEFT JOIN kalshi_market m ON m.event_ticker = e.event_ticker
  LEFT JOIN kalshi_reconciliation r ON r.market_ticker = m.market_ticker
  WHERE e.series_ticker IN :series AND e.event_date BETWEEN :first AND :last
  GROUP BY e.event_ticker
) known
GROUP BY 1, 2, 3
ORDER BY 3, 1, 2
LIMIT 20000
