-- The events of the same series that close before and after, where events have no day.
(SELECT 'previous' AS side, event_ticker AS event FROM kalshi_market
 WHERE series_ticker = :series AND close_time_utc < :first_close AND event_ticker <> :event
 ORDER BY close_time_utc DESC, event_ticker DESC LIMIT 1)
UNION ALL
(SELECT 'next', event_ticker FROM kalshi_market
 WHERE series_ticker = :series AND close_time_utc > :last_close AND event_ticker <> :event
 ORDER BY close_time_utc, event_ticker LIMIT 1)
