"""Random numbers as pure functions of other numbers, for whole arrays at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def mixed(key: Words, *numbers: Ints | int) -> Words:
    """A word for each key and its numbers (SplitMix64)."""
    for number in numbers:
        word = key ^ (np.atleast_1d(np.asarray(number, np.int64)).view(np.uint64) + np.uint64(1)) * STEP
        word = (word ^ (word >> np.uint64(30))) * FIRST
        word = (word ^ (word >> np.uint64(27))) * SECOND
        key = word ^ (word >> np.uint64(31))
    return key


def key_of(seed: int) -> Words:
    """The key that everything of a seed derives from."""
    return mixed(np.zeros(1, np.uint64), seed & 0x7FFF_FFFF_FFFF_FFFF)


def shares(words: Words) -> Floats:
    """From 0 to below 1."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def draw(key: Words, purpose: int) -> Floats:
    """A number from 0 to below 1 for each key; another one for another purpose."""
    return shares(mixed(key, purpose))
