-- The series that the warehouse knows: all of them, or those of a category.
SELECT series_ticker AS series, title, category
FROM kalshi_series
WHERE :category = '' OR category = :category
ORDER BY series_ticker
LIMIT :most
