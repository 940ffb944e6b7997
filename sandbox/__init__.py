"""A Kalshi exchange on this machine: deterministic, synthetic, over real HTTP.

    python -m sandbox --port 8321

For the demo, the tests and offline work. By default its world ends now and goes on with the wall clock; ``--clock``
fixes its time. Same seed and same clock, same bytes; and an event is the same whenever the sandbox was started.
"""
