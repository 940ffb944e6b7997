-- The series that a quality run has looked at.
SELECT DISTINCT series_ticker AS series FROM kalshi_coverage ORDER BY series_ticker LIMIT 200
