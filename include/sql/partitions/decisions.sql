-- What this run found at the decision times that lie in the window.
SELECT * FROM kalshi_decision_coverage WHERE run_id = :run_id
