"""The sandbox as a process, and the switches of its faults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

PROJECT = Path(__file__).resolve().parents[1]


class ExchangeServer:
    """``python -m sandbox`` on a free port, for the length of a with-block."""

    def __init__(self, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "sandbox", "--port=0", *arguments]

    def __enter__(self) -> ExchangeServer:
        self._process = subprocess.Popen(self._command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.base_url = self._process.stdout.readline().strip()
        assert self.base_url, "the sandbox didn't start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()

    @property
    def origin(self) -> str:
        return self.base_url.removesuffix("/trade-api/v2")

    def faults(self, *faults: dict[str, Any]) -> None:
        """Switch these faults on and all others off."""
        requests.put(f"{self.origin}/sandbox/faults", json=list(faults), timeout=10).raise_for_status()

    def reset(self) -> None:
        self.faults()

    def stats(self) -> dict[str, Any]:
        """What the sandbox counted since it began."""
        answer: dict[str, Any] = requests.get(f"{self.origin}/sandbox/stats", timeout=10).json()
        return answer

    def get(self, path: str, **params: Any) -> requests.Response:
        return requests.get(self.base_url + path, params=params, timeout=10)
