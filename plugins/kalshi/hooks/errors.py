"""What can be wrong with a connection."""


class BadConnection(ValueError):
    """A connection lacks something or holds something unusable; the message says which part, not its value."""
