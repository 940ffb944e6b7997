-- One event.
SELECT event_ticker, series_ticker, title, sub_title, event_date, mutually_exclusive, is_placeholder
FROM kalshi_event
WHERE event_ticker = :event
