"""README and docs match the code: generated parts, queries, links, names of tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.warehouse.server import open_engine
from scripts import docs
from scripts.address import address_of
from scripts.backends import WAREHOUSE
from scripts.private_server import PrivateServer
from tests.support.account import account_at
from tests.support.api_key import make_key
from tests.support.exchange_server import quick_config
from tests.ui.site import CLOCK, fill

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = (*docs.PAGES, *(PROJECT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")))
QUERIES = [
    pytest.param(query, id=f"{page.stem}-{number}")
    for page in docs.PAGES
    for number, query in enumerate(
        re.findall(r"```sql\n(.*?)```|make sql QUERY=\"([^\"…]+)\"", page.read_text(encoding="utf-8"), re.DOTALL)
    )
]
PRINTED = re.search(r'```sh\nmake sql QUERY="([^"]+)"\n```\n\n```\n(.*?)```', README, re.DOTALL)


@pytest.fixture(scope="module")
def filled(mariadb: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A warehouse that the jobs filled from the sandbox, on a server with the sandbox's time."""
    folder = tmp_path_factory.mktemp("filled")
    key = make_key("ed25519", folder)
    engine = open_engine(address_of(mariadb.database("test_readme")), loads=True)
    with account_at(CLOCK, key, since="2026-08-25") as server:
        config = quick_config(server, key_id=key.id, private_key_pem=key.secret, timeout=(5.0, 20.0))
        with Exchange(config) as exchange:
            fill(exchange, engine, folder / "reports")
    yield engine
    engine.dispose()


def asked(engine: sa.Engine, query: str) -> tuple[list[str], list[sa.Row[tuple[object, ...]]]]:
    """Names of columns, and rows."""
    with engine.connect() as connection:
        connection.execute(sa.text("SET SESSION timestamp = :now"), {"now": CLOCK.timestamp()})
        found = connection.exec_driver_sql(query.replace("%", "%%"))
        return list(found.keys()), list(found.all())


def test_the_generated_parts_are_what_the_code_says(
    empty_database_on_both: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(WAREHOUSE, empty_database_on_both)
    code = docs.write(check=True)
    assert code == 0, f"`make docs` writes them anew.\n{capsys.readouterr().out}"


def test_the_readme_is_a_front_door() -> None:
    assert len(README.splitlines()) <= 100
    assert "make demo " in README
    assert "make test " in README
    (line,) = (line for line in README.splitlines() if line.startswith("make demo  "))
    assert "synthetic data" in line


@pytest.mark.parametrize("query", QUERIES)
def test_a_printed_query_finds_rows(query: tuple[str, str], filled: sa.Engine) -> None:
    _, rows = asked(filled, "".join(query))
    assert rows


def test_the_readme_s_query_gives_the_table_that_is_printed_below_it(filled: sa.Engine) -> None:
    assert PRINTED, "no query with its output"
    columns, rows = asked(filled, PRINTED[1])
    heads, rule, *printed = PRINTED[2].splitlines()
    assert heads.split() == columns
    assert len(rule.split()) == len(columns)
    assert rows
    assert {len(line.split()) for line in printed} == {len(columns)}


@pytest.mark.parametrize(("hook", "connection"), [("kalshi", "kalshi_default"), ("warehouse", "kalshi_warehouse")])
def test_every_extra_that_a_hook_reads_is_described(hook: str, connection: str) -> None:
    code = (PROJECT / "plugins" / "kalshi" / "hooks" / f"{hook}.py").read_text(encoding="utf-8")
    page = (PROJECT / "docs" / "connections.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {connection}\n")[1].split("\n## ")[0]
    read = set(re.findall(r'extra(?:\.get\(|\[)"(\w+)"', code))
    assert read
    assert set(re.findall(r"^\| `extra\.(\w+)`", section, re.MULTILINE)) == read


def test_every_test_named_on_the_page_about_faults_exists() -> None:
    page = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
    files = {file.name: file.read_text(encoding="utf-8") for file in (PROJECT / "tests").rglob("test_*.py")}
    assert set(re.findall(r"\btest_\w+\.py", page)) <= files.keys()
    functions = re.findall(r"def (test_\w+)", "".join(files.values()))
    for part in re.findall(r"`…(\w+)…?`", page):
        assert any(part in name for name in functions), part


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
            there = (page.parent / target) if target else page
            assert there.exists(), f"{page.name}: {target}"
            if anchor:
                assert anchor in anchors(there), f"{page.name}: {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
