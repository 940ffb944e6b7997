"""Makes text from the exchange safe to show to people."""

from __future__ import annotations


def one_line(words: str) -> str:
    """``words`` on one line without control characters, so that they can't be mistaken for a log line of ours."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())
