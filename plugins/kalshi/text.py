"""Words for people: text from the exchange made safe, and long lists made short."""

from __future__ import annotations

from collections.abc import Sequence


def one_line(words: str) -> str:
    """``words`` on one line without control characters, so that they can't be mistaken for a log line of ours."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def first_few(names: Sequence[str], most: int, more: str = "more") -> str:
    """The first ``most`` of these names, and how many more there are: "a; b; and 3 more"."""
    left = len(names) - most
    return "; ".join([*names[:most], *([f"and {left:,} {more}"] if left > 0 else [])])


def minutes(number: int) -> str:
    """A number of minutes in words: "5 h 10 min"."""
    days, rest = divmod(number, 24 * 60)
    hours, left = divmod(rest, 60)
    parts = [f"{days:,} d"] * (days > 0) + [f"{hours} h"] * (hours > 0) + [f"{left} min"] * (left > 0 and not days)
    return " ".join(parts) or "0 min"


def counted(number: int, noun: str) -> str:
    """ "1 gap", "1,204 gaps"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
