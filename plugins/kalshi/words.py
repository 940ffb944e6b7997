"""Words that the exchange sent, where people read them."""

from __future__ import annotations


def one_line(words: str) -> str:
    """``words`` on one line without control characters, so that they can't pass for a line of a log's own."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())
