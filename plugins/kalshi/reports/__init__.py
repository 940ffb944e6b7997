"""Turns what jobs found into JSON for machines and pages for people."""
