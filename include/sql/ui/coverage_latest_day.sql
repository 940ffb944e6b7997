-- The latest day, up to today, that has an event; and how many events have no day in their ticker.
SELECT MAX(IF(event_date <= :today, event_date, NULL)) AS day, CAST(SUM(event_date IS NULL) AS SIGNED) AS undated
FROM kalshi_event
WHERE series_ticker IN :series
