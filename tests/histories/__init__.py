"""Random histories: a small exchange that misbehaves, the ordinary runs against it, and what must hold all along.

``exchange``: a model of the exchange that answers the real client in this process. ``steps``: what can happen in a
history. ``history``: plays the steps, with the real jobs and a real database. ``properties``: what must hold.
"""
