"""The sandbox as a separate process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def start(log: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start ``python -m sandbox`` with ``arguments``, on a free port unless they name one.

    Returns the process, which outlives this one, and the base URL.

    Raises:
        RuntimeError: it exited before it was listening; ``log`` says why.
    """
    command = [sys.executable, "-m", "sandbox", "--port=0", *arguments]
    with log.open("a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    base_url = process.stdout.readline().strip() if process.stdout else ""
    if not base_url:
        raise RuntimeError(f"The sandbox didn't start; the end of {log}:\n{log.read_text(encoding='utf-8')[-2000:]}")
    return process, base_url


@contextmanager
def running(log: Path, *arguments: str) -> Iterator[str]:
    """The base URL of a sandbox that runs for the length of the with-block."""
    process, base_url = start(log, *arguments)
    try:
        yield base_url
    finally:
        process.terminate()
        process.wait(10)
