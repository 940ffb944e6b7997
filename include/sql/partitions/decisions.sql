-- This run's results for the decision times in the window.
SELECT * FROM kalshi_decision_coverage WHERE run_id = :run_id
