"""The data folders of the tests' servers: nobody removes one that is in use, and none is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import memory


@pytest.fixture(autouse=True)
def _memory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MEMORY", tmp_path)
    monkeypatch.setattr(memory, "ROOM_BYTES", 0)


def test_a_folder_in_use_is_left_alone_by_those_who_come_later(tmp_path: Path) -> None:
    with memory.data_folder() as first, memory.data_folder() as second:
        assert first.is_dir()
        assert second.is_dir()
        assert first.is_relative_to(tmp_path)
    assert not [*tmp_path.iterdir()]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / f"{memory.PREFIX}left"
    (left / "data").mkdir(parents=True)
    (left / memory.LOCK).touch()
    with memory.data_folder():
        assert not left.exists()
