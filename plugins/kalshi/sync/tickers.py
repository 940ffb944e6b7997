"""Which tickers a run has seen, by the millions."""

from __future__ import annotations

from collections.abc import Container, Iterable

import numpy as np
from numpy.typing import NDArray

MOST_RECENT = 100_000


class SeenTickers(Container[str]):
    """A set of tickers that takes 8 bytes each: six million markets in a set of strings were 700 MB.

    It holds 64-bit hashes. That two of six million tickers share one happens once in a million runs; then one of them
    isn't counted, or waits for the next run. It may be asked in one thread while another adds to it.
    """

    def __init__(self) -> None:
        self._sorted = np.empty(0, np.int64)
        self._recent: set[int] = set()

    def __len__(self) -> int:
        return len(self._sorted) + len(self._recent)

    def __contains__(self, ticker: object) -> bool:
        key = hash(ticker)  # first the recent ones: they become sorted, never the other way round
        return key in self._recent or bool(self._is_sorted(np.array([key]))[0])

    def add(self, tickers: Iterable[str]) -> list[str]:
        """Add them and return those that weren't there, each once."""
        by_key = {key: ticker for ticker in tickers if (key := hash(ticker)) not in self._recent}
        keys = np.fromiter(by_key, np.int64, len(by_key))
        new = keys[~self._is_sorted(keys)].tolist()
        self._recent.update(new)
        if len(self._recent) > MOST_RECENT:
            recent = np.fromiter(self._recent, np.int64, len(self._recent))
            self._sorted = np.sort(np.concatenate([self._sorted, recent]), kind="stable")
            self._recent = set()
        return [by_key[key] for key in new]

    def _is_sorted(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the keys are in the sorted part."""
        known = self._sorted  # another thread may replace it
        if not len(known):
            return np.zeros(len(keys), np.bool_)
        places = np.searchsorted(known, keys).clip(max=len(known) - 1)
        found: NDArray[np.bool_] = known[places] == keys
        return found
