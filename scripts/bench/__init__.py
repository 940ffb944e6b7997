"""``make bench``: speed, as ratios to a reference measured in the same run."""

CLOCK = "2026-09-22T15:00:00+00:00"
"""The sandbox's fixed time: a benchmark reads the same data whenever it runs."""
