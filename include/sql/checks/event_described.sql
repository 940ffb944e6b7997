-- Events are not placeholders, and have a date if others of their series have one.
SELECT event_ticker, event_date, is_placeholder
FROM {batch} AS e
WHERE is_placeholder OR event_date IS NULL AND EXISTS (
  SELECT 1 FROM kalshi_event other WHERE other.series_ticker = e.series_ticker AND other.event_date IS NOT NULL
)
