"""What processes show of themselves, and how they take signals."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROC = Path("/proc")


def peak_megabytes() -> float:
    """The peak memory of this process. getrusage would report the parent's if that was higher."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", (PROC / "self/status").read_text())
    assert peak
    return int(peak[1]) / 1024


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """The command lines of every process on this machine, as long as the block lasts."""
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            for file in PROC.glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes())
                except OSError:
                    continue  # it ended

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def ignore_interrupts() -> None:
    """As a shell does for a job that it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
