"""Errors in connections."""


class BadConnection(ValueError):
    """A connection is incomplete or has an unusable part; the message names the part, never its value."""
