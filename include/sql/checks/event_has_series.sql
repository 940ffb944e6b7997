-- Every event belongs to an existing series.
SELECT e.event_ticker, e.series_ticker
FROM {batch} AS e
LEFT JOIN kalshi_series s ON s.series_ticker = e.series_ticker
WHERE s.series_ticker IS NULL
