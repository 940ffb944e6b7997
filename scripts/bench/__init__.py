"""``make bench``: how fast things are, as ratios to a reference measured side by side."""
