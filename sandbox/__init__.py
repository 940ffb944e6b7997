"""A Kalshi exchange on this machine: deterministic, synthetic, over real HTTP.

    python -m sandbox --port 8321

For the demo, the tests and offline work. Same seed and same clock, same bytes.
"""
