"""``make soak``: all DAGs on their schedules for a simulated hour, and what grew or leaked in that time."""
