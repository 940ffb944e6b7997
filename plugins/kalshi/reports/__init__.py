"""Reports of what a run did and found, for people (text, page, plot) and machines (JSON)."""
