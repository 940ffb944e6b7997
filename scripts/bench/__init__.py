"""``make bench``: how fast things are, as ratios to a reference measured side by side."""

CLOCK = "2026-09-22T15:00:00+00:00"
"""The sandbox's time, which stands: a benchmark reads the same data whenever it runs."""
