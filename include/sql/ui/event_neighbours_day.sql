-- The events of the days before and after, in the same series.
(SELECT 'previous' AS side, event_ticker AS event FROM kalshi_event
 WHERE series_ticker = :series AND event_date < :day ORDER BY event_date DESC, event_ticker DESC LIMIT 1)
UNION ALL
(SELECT 'next', event_ticker FROM kalshi_event
 WHERE series_ticker = :series AND event_date > :day ORDER BY event_date, event_ticker LIMIT 1)
