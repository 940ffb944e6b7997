"""The download of the tests' real MySQL."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import real_mysql

pytestmark = pytest.mark.database


def test_a_mirror_whose_release_file_has_expired_still_serves_the_real_mysql(tmp_path: Path) -> None:
    """Debian signs the file anew every few hours: for who accepts one second of age, it has always expired."""
    expired = ["-oAcquire::Check-Date=true", "-oAcquire::Max-ValidTime=1", "update", "--error-on=any"]
    apt = real_mysql.private_apt(tmp_path)
    strict = subprocess.run(
        [*apt, "-oAcquire::Check-Valid-Until=true", *expired], capture_output=True, text=True, check=False
    )
    assert "is expired" in strict.stdout + strict.stderr
    lenient = subprocess.run([*apt, *expired], capture_output=True, text=True, check=False)
    assert lenient.returncode == 0, lenient.stderr
