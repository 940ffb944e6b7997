-- The days that have an event, of those of these series that are daily.
SELECT DISTINCT e.series_ticker, e.event_date
FROM kalshi_event e
JOIN kalshi_series s ON s.series_ticker = e.series_ticker
WHERE s.frequency = 'daily' AND e.event_date IS NOT NULL AND e.series_ticker IN :series
ORDER BY e.series_ticker, e.event_date
