-- The series of the catalog, to choose from.
SELECT series_ticker AS series, title, category FROM kalshi_series ORDER BY series_ticker LIMIT 500
