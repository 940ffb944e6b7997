-- The series that a quality run has checked.
SELECT DISTINCT series_ticker AS series FROM kalshi_coverage ORDER BY series_ticker LIMIT 200
