"""``make docs``: writes the generated parts of README and ``docs/``, which stand between cog's markers there.

Each function here returns Markdown. The pages call them: ``<!-- [[[cog cog.out(docs.tables()) ]]] -->``.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import sqlalchemy as sa
from airflow.sdk import DAG, Asset
from cogapp import Cog
from cron_descriptor import get_description

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.runs import ReportOperator
from kalshi.quality.suites import SUITES
from kalshi.reports.runs import RunPage, RunReport, Verdicts
from kalshi.settings import INCLUDE, load_settings
from kalshi.sync.report import JobReport, fields_of
from kalshi.warehouse import sql
from kalshi.warehouse.capabilities import CAPABILITIES, STAGING
from kalshi.warehouse.migrate import migrate
from scripts import private_server
from scripts.backends import PROJECT, WAREHOUSE

PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))
PROLOGUE = "import cog; from scripts import docs"
EVERY_TABLE = "every table"
BAR = "\\|"
SCHEDULES = {"@hourly": "every hour", "0 0 * * *": "every day"}
"""Those that cron_descriptor doesn't know, or calls "at 12:00 am"."""


class Undescribed(LookupError):
    """A table, a column or a setting lacks its description; the message says where to write it."""


@dataclass
class Description:
    """What the comment above a ``CREATE`` says: of the table or view, of its columns, and ``like``, whose columns the
    others are."""

    about: str
    columns: dict[str, str] = field(default_factory=dict)
    like: str | None = None


def main() -> None:
    with TemporaryDirectory(prefix="kalshi-docs-") as folder:
        os.environ[WAREHOUSE] = private_server.ensure(Path(folder)).database("kalshi")
        try:
            code = write()
        finally:
            private_server.stop(Path(folder))
    raise SystemExit(code)


def write(*, check: bool = False) -> int:
    """Run cog over the pages, with the database that ``kalshi_warehouse`` names, which gets the schema.

    ``check`` writes nothing and shows what differs. The result is 0 where all is well.
    """
    with WarehouseHook().connected() as engine:
        migrate(engine)
    how = ["--check", "--diff"] if check else ["-r"]
    code: int = Cog().main(["cog", *how, "--verbosity=1", "-p", PROLOGUE, *map(str, PAGES)])
    return code


def descriptions() -> dict[str, Description]:
    """What the migrations' comments say of each table and view.

    ``-- kalshi_lot: each fill matched first in, first out`` is followed by a line for each column that has no COMMENT,
    ``--   price: dollars per contract of the outcome``; ``--   *: as in kalshi_fill`` stands for all others.
    """
    found: dict[str, Description] = {}
    current: Description | None = None
    files = sorted((sql.FOLDER / "migrations").glob("*.sql"))
    for line in (line for file in files for line in file.read_text("utf-8").splitlines()):
        if heading := re.fullmatch(rf"-- (kalshi_\w+|{EVERY_TABLE}): (.+)", line):
            current = found[heading[1]] = Description(heading[2])
        elif current and (like := re.fullmatch(r"--   \*: as in (\w+)", line)):
            current.like = like[1]
        elif current and (column := re.fullmatch(r"--   (\w+): (.+)", line)):
            current.columns[column[1]] = column[2]
        else:
            current = None
    return found


def tables() -> str:
    """Every table and view of the warehouse, in the order of the migrations."""
    described = descriptions()
    with WarehouseHook().connected() as engine:
        there = sa.inspect(engine)
        views, names = set(there.get_view_names()), {*there.get_table_names(), *there.get_view_names()}
        if missing := sorted(names - described.keys()):
            raise Undescribed(f"Write `-- {missing[0]}: …` above its CREATE in include/sql/migrations.")
        order = [name for name in described if name in names]
        overview = table(
            ("table", "holds"),
            ((link(name), f"{described[name].about}{' (a view)' * (name in views)}") for name in order),
        )
        with engine.connect() as connection:
            parts = [
                _view(connection, name, described) if name in views else _table(connection, there, name, described)
                for name in order
            ]
    return "".join([overview, *parts])


def _table(connection: sa.Connection, there: sa.Inspector, name: str, described: dict[str, Description]) -> str:
    ddl = connection.exec_driver_sql(f"SHOW CREATE TABLE {name}").one()[1]
    json_columns = re.findall(r"json_valid\(`(\w+)`\)", ddl)  # MariaDB's JSON is a longtext with a check
    parents = {key["constrained_columns"][0]: key["referred_table"] for key in there.get_foreign_keys(name)}
    keys = {"PRI": "primary", "UNI": "unique", "MUL": "index"}
    rows = []
    for column in _columns(connection, name):
        key = [keys[column.column_key]] if column.column_key else []
        if column.column_name in parents:
            key.append(f"→ {link(parents[column.column_name])}")
        rows.append(
            (
                f"`{column.column_name}`",
                "json" if column.column_name in json_columns else _type(column.column_type),
                "yes" if column.is_nullable == "YES" else "",
                ", ".join(key),
                column.column_comment or _described(described, name, column.column_name),
            )
        )
    primary = ", ".join(f"`{column}`" for column in there.get_pk_constraint(name)["constrained_columns"])
    heads = ("column", "type", "null", "key", "meaning")
    return _section(name, described, f"Primary key: {primary}.", table(heads, rows))


def _view(connection: sa.Connection, name: str, described: dict[str, Description]) -> str:
    rows = [
        (f"`{column.column_name}`", _type(column.data_type), _meaning(connection, described, name, column.column_name))
        for column in _columns(connection, name)
    ]
    return _section(name, described, "A view.", table(("column", "type", "meaning"), rows))


def _section(name: str, described: dict[str, Description], note: str, columns: str) -> str:
    about = described[name].about
    return f"## {name}\n\n{about[0].upper()}{about[1:]}. {note}\n{columns}"


def _columns(connection: sa.Connection, name: str) -> Sequence[sa.Row[Any]]:
    """In the words of information_schema, whose own names are upper case on MySQL."""
    query = (
        "SELECT column_name AS column_name, column_type AS column_type, data_type AS data_type, "
        "is_nullable AS is_nullable, column_key AS column_key, column_comment AS column_comment "
        "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = :name "
        "ORDER BY ordinal_position"
    )
    return connection.execute(sa.text(query), {"name": name}).all()


def _type(words: str) -> str:
    """A type as the migrations write it: MariaDB gives integers a width."""
    return re.sub(r"int\(\d+\)", "int", words.replace("tinyint(1)", "boolean"))


def _meaning(connection: sa.Connection, described: dict[str, Description], view: str, column: str) -> str:
    """Of a view's column: its own, else that of the column of the same name in the table that the view is like."""
    like = described[view].like
    while like and column not in described[view].columns:
        for there in _columns(connection, like):
            if there.column_name == column and there.column_comment:
                return str(there.column_comment)
        view, like = like, described[like].like
    return _described(described, view, column)


def _described(described: dict[str, Description], name: str, column: str) -> str:
    """What the comments say of a column.

    Raises:
        Undescribed: nothing.
    """
    for source in (name, EVERY_TABLE):
        if words := described[source].columns.get(column):
            return words
    raise Undescribed(
        f"{name}.{column} has no description. Give a table's column a COMMENT; write `--   {column}: …` below "
        f"`-- {name}: …` in include/sql/migrations for a view's."
    )


def all_dags() -> list[DAG]:
    """The DAGs of the folder ``dags``, by name."""
    from airflow.dag_processing.dagbag import DagBag

    folder = PROJECT / "dags"
    bag = DagBag(dag_folder=folder, bundle_path=folder)
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    return [dag for _, dag in sorted(bag.dags.items())]


def dags_in_short() -> str:
    """A line for each DAG: name, schedule, what it does."""
    rows = ((f"[`{dag.dag_id}`](docs/dags.md#{dag.dag_id})", schedule(dag), str(dag.description)) for dag in all_dags())
    return table(("DAG", "schedule", "what it does"), rows)


def dags() -> str:
    """A section for each DAG: schedule, its own page, params."""
    parts = []
    for dag in all_dags():
        _, _, page = str(dag.doc_md).partition("\n")
        parts.append(f"\n## {dag.dag_id}\n\n**Schedule:** {schedule(dag)}.\n\n{page.strip()}\n")
        if dag.params:
            rows = (_param(dag, name) for name in dag.params)
            parts.append(table(("param", "title", "default", "meaning"), rows))
    return "".join(parts)


def _param(dag: DAG, name: str) -> tuple[str, str, str, str]:
    param = dag.params.get_param(name)
    missing = "empty" if "null" in param.schema["type"] else "required"
    default = f"`{json.dumps(param.value)}`" if param.has_value else missing
    return f"`{name}`", str(param.schema["title"]), default, str(param.description)


def schedule(dag: DAG) -> str:
    """When a DAG runs, in words."""
    if isinstance(dag.schedule, Asset):
        return f"when `{dag.schedule.name}` changes"
    if dag.schedule is None:
        return "by hand"
    timetable: Any = dag.timetable
    expression = getattr(timetable, "expression", None) or timetable._expression
    words = SCHEDULES.get(expression) or get_description(expression).lower()
    return f"{words}, with catchup" if dag.catchup else words


def settings() -> str:
    """The settings of ``include/kalshi.toml`` up to its lists of tables, each with the comment that it stands below;
    an empty line ends what a comment is about.

    Raises:
        Undescribed: a setting has no comment.
    """
    rows: list[tuple[str, str, str]] = []
    text = (INCLUDE / "kalshi.toml").read_text(encoding="utf-8").split("\n[[")[0]
    section, comment, is_read = "", "", False
    for line in text.splitlines():
        if line.startswith("# "):
            comment, is_read = f"{'' if is_read else comment} {line[2:]}".lstrip(), False
        elif head := re.fullmatch(r"\[(.+)\]", line):
            section = head[1]
        elif (pair := re.fullmatch(r"(\w+) = (.+)", line)) and section != "quality.checks":
            if not comment:
                raise Undescribed(f"Write a comment above {pair[1]} of [{section}] in include/kalshi.toml.")
            rows.append((f"`[{section}] {pair[1]}`", f"`{pair[2]}`", comment))
            is_read = True
        else:
            comment = ""
    return table(("setting", "default", "meaning"), rows)


def rules() -> str:
    """The rules of data quality by table, with what a broken one means."""
    configured = load_settings().quality.checks
    rows = []
    for suite in SUITES:
        for check in suite.checks:
            rule = configured[check.name]
            share = "all" if rule.mostly == 1 else f"{rule.mostly:.0%}"
            rows.append((f"`{check.name}`", check.about, rule.severity, share))
    return table(("rule", "what must hold", "a break is", "rows that must obey"), rows)


def capabilities() -> str:
    """What the project relies on in a server, and what is done where it is missing."""
    rows = [(each.name, each.needed, each.instead or "the server is refused") for each in (STAGING, *CAPABILITIES)]
    return table(("it must have", "without which", "where it is missing"), rows)


def report_common() -> str:
    """What every ``report.json`` says."""
    return table(("field", "meaning"), [*_meanings(Verdicts), *_meanings(RunReport, without=Verdicts)])


def report_additions() -> str:
    """What the report of each DAG says besides."""
    dags: dict[str, list[str]] = defaultdict(list)
    for dag, page in _report_pages():
        dags[page.job].append(f"`{dag.dag_id}`")
    pages = {page.job: page for _, page in _report_pages()}
    rows = [
        (", ".join(dags[job]), *each)
        for job, page in pages.items()
        for each in _meanings(page.report, without=RunReport)
    ]
    return table(("DAG", "field", "meaning"), rows)


def report_series() -> str:
    """An entry of ``series`` in a report: the fields of all jobs, then those of each."""
    rows = [("every job", *each) for each in _meanings(JobReport)]
    pages = {page.job: page for _, page in _report_pages()}
    for job, page in pages.items():
        rows += [(job, *each) for each in _meanings(page.series, without=JobReport)]
    return table(("job", "field", "meaning"), rows)


def _report_pages() -> list[tuple[DAG, RunPage[Any]]]:
    """The DAGs that report on series, with their pages."""
    return [(dag, task.report) for dag in all_dags() for task in dag.tasks if isinstance(task, ReportOperator)]


def _meanings(kind: type[msgspec.Struct], without: type[msgspec.Struct] | None = None) -> list[tuple[str, str]]:
    """The fields of a report with their meanings; for a list of rows, those of its row."""
    hints = get_type_hints(kind)
    known = without.__struct_fields__ if without else ()
    found = []
    for name, described in fields_of(kind).items():
        if name in known:
            continue
        inner = next((arg for arg in get_args(hints[name]) if _is_row(arg)), None)
        meaning = described.about
        if inner:
            meaning += f". {'; '.join(f'{each}: {about}' for each, about in _meanings(inner))}"
        found.append((f"`{name}{'[]' * (get_origin(hints[name]) is list)}`", meaning))
    return found


def _is_row(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def commands() -> str:
    """The commands of the Makefile, as ``make`` lists them."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z-]+):.*?## (.*)", text, re.MULTILINE)
    return table(("command", "what it does"), ((f"`make {name}`", about) for name, about in found))


def link(name: str) -> str:
    return f"[`{name}`](#{name})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, with an empty line before and after it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n" + "".join(f"| {' | '.join(cell.replace('|', BAR) for cell in line)} |\n" for line in lines) + "\n"


if __name__ == "__main__":
    main()
