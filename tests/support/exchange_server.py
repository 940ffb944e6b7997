"""The sandbox as a process, and a way to switch its faults."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import requests

from kalshi.exchange import ExchangeConfig, RetryPolicy
from sandbox import process

CLOCK = "2026-09-22T15:00:00+00:00"
"""The exchange's time in the tests, unless they name another; it stands."""


class ExchangeServer:
    """``python -m sandbox`` on a free port, for the length of a with-block, by ``clock``; without one, by the
    wall's."""

    def __init__(self, *arguments: str, clock: str | None = CLOCK) -> None:
        self._arguments = (*([f"--clock={clock}"] if clock else []), *arguments)

    def __enter__(self) -> ExchangeServer:
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(prefix="sandbox-"))
            self.base_url = stack.enter_context(process.running(Path(folder) / "log", *self._arguments))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

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


def quick_config(server: ExchangeServer, **others: object) -> ExchangeConfig:
    settings = {"requests_per_second": 10_000.0, "retry": RetryPolicy(4, 0.01, 0.05), "timeout": (2.0, 2.0), **others}
    return ExchangeConfig(server.base_url, **settings)  # type: ignore[arg-type]
