"""The parts of a release: one version, its entry in the changelog, the checks before a commit."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]
CHANGELOG = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    images = re.findall(r"image: kalshi-warehouse:(\S+)", (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8"))
    newest = re.findall(r"^## \[(\d\S*)\]", CHANGELOG, re.MULTILINE)[0]
    assert {project["version"], *images} == {newest}


def test_the_changelog_names_its_releases_newest_first() -> None:
    releases = re.findall(r"^## \[(\d+)\.(\d+)\.(\d+)\] - (\S+)$", CHANGELOG, re.MULTILINE)
    versions = [tuple(map(int, numbers)) for *numbers, _ in releases]
    days = [date.fromisoformat(day) for *_, day in releases]
    assert versions == sorted(versions, reverse=True)
    assert days == sorted(days, reverse=True)
    assert len(releases) == CHANGELOG.count("\n## ") - 1, "Unreleased comes first, and all others have a date"


def test_pre_commit_runs_what_make_lint_runs() -> None:
    """One hook that is ``make lint``: requirements-dev.txt alone pins the tools' versions."""
    file = PROJECT / ".pre-commit-config.yaml"
    check = [sys.executable, "-m", "pre_commit", "validate-config", str(file)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    (repository,) = yaml.safe_load(file.read_text(encoding="utf-8"))["repos"]
    (hook,) = repository["hooks"]
    assert (repository["repo"], hook["language"], hook["entry"]) == ("local", "system", "make lint")


def test_the_license_is_the_one_that_is_named() -> None:
    text = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
