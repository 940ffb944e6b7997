"""The README's lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def listed(heading: str) -> set[str]:
    """The first cells of the table below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))


def test_every_dag_is_listed() -> None:
    assert listed("DAGs") == {file.stem for file in (PROJECT / "dags").glob("*.py")}


def test_every_table_is_listed(warehouse: sa.Engine) -> None:
    there = sa.inspect(warehouse)
    assert listed("Tables") == {*there.get_table_names(), *there.get_view_names()}


def test_every_test_that_the_page_about_faults_names_is_there() -> None:
    page = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
    files = {file.name: file.read_text(encoding="utf-8") for file in (PROJECT / "tests").rglob("test_*.py")}
    assert set(re.findall(r"\btest_\w+\.py", page)) <= files.keys()
    functions = re.findall(r"def (test_\w+)", "".join(files.values()))
    for part in re.findall(r"`…(\w+)…?`", page):
        assert any(part in name for name in functions), part


def test_every_link_leads_somewhere() -> None:
    for page in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
