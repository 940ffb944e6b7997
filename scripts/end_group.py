"""Stops a process group when whoever started this program is gone, however it went.

``python -m scripts.end_group GROUP`` waits for the end of its standard input, which is a pipe of the starter's.
"""

from __future__ import annotations

import os
import signal
import sys
import time

STEPS = ((signal.SIGINT, 5), (signal.SIGTERM, 5), (signal.SIGKILL, 5))
"""How the group is stopped: it is asked first, and ended where it doesn't listen within these seconds."""


def end_group(group: int) -> None:
    """Stop every process of the group, and return when they are gone."""
    for how, seconds in STEPS:
        deadline = time.monotonic() + seconds
        try:
            os.killpg(group, how)
            while time.monotonic() < deadline:
                time.sleep(0.1)
                os.killpg(group, 0)
        except ProcessLookupError:
            return


if __name__ == "__main__":
    sys.stdin.read()
    end_group(int(sys.argv[1]))
