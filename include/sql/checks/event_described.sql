-- Events have a date and are not placeholders.
SELECT event_ticker, event_date, is_placeholder
FROM {batch}
WHERE event_date IS NULL OR is_placeholder
