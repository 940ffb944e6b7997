-- The series itself.
SELECT * FROM kalshi_series WHERE series_ticker = :series
