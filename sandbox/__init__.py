"""A Kalshi exchange on this machine: deterministic, synthetic, over real HTTP.

    python -m sandbox --port 8321

For the demo, the tests and offline work. By default its data ends now and grows with the wall clock; ``--clock``
fixes its time. The same seed and clock give the same bytes, and an event doesn't depend on when the sandbox started.
"""
