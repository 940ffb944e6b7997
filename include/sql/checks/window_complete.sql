-- Every window that a run began is COMPLETE, or a run is reading it now. A window that was reopened and waits for its
-- next run is caught by gap_filled.
SELECT job, window_start_utc, window_end_utc, state, attempts, error
FROM {batch}
WHERE state NOT IN ('COMPLETE', 'ACCEPTED') AND window_start_utc < :end AND NOT is_being_read AND NOT is_waiting
