-- The categories of the series that the warehouse knows.
SELECT DISTINCT category FROM kalshi_series WHERE category > '' ORDER BY category LIMIT 100
