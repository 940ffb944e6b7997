"""Checks everything that a run depends on, and reports what is wrong and what to do, in one line each.

``python -m kalshi doctor`` prints the findings; the DAG ``kalshi_health_check`` runs the checks every hour.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from collections.abc import Iterator

import sqlalchemy as sa

from kalshi.diagnosis import Diagnosis, clock
from kalshi.hooks.errors import reached
from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operations.alerts import load_notifier
from kalshi.settings import SettingsError, load_settings
from kalshi.text import first_few
from kalshi.warehouse import exchanges, gaps, months, retention, sql
from kalshi.warehouse.capabilities import lacks
from kalshi.warehouse.copies import NOTE
from kalshi.warehouse.migrate import versions

AIRFLOW = (3, 3)
OLDEST = {"MySQL": (8, 0), "MariaDB": (10, 11)}
"""The oldest server versions that the project supports."""
PACKET_BYTES = 16 * 2**20
SPARE_BYTES = 2**30
FEWEST_MONTHS = 3
"""So many should have a partition ahead."""
MOST_SCOPES = 5
"""So many scopes with gaps are named."""


def examine() -> list[Diagnosis]:
    """Run every check, in order of dependency. They are independent: a failing one doesn't hide another."""
    findings = [*_settings(), *disk()]
    findings += reached("kalshi_warehouse", _warehouse)
    return findings + KalshiHook().examine()


def _settings() -> Iterator[Diagnosis]:
    installed = importlib.metadata.version("apache-airflow-core")
    if tuple(int(part) for part in installed.split(".")[:2]) < AIRFLOW:
        yield Diagnosis("airflow", "fail", f"Airflow {installed} is too old: install requirements.txt.")
    else:
        yield Diagnosis("airflow", "ok", f"Airflow {installed}")
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Diagnosis("settings", "fail", str(error))
        return
    yield Diagnosis("settings", "ok", f"{len(settings.series)} series: {', '.join(settings.series_tickers)}")
    for notifier in settings.alerts:
        try:
            load_notifier(notifier)
        except (ImportError, AttributeError, TypeError) as error:
            yield Diagnosis("alerts", "fail", f"{notifier.notifier} in kalshi.toml can't be used: {error}.")
        else:
            yield Diagnosis("alerts", "ok", f"Failed runs are reported through {notifier.notifier}.")
    if not settings.alerts:
        yield Diagnosis("alerts", "warn", "Nobody is alerted to failed runs: add a notifier to alerts in kalshi.toml.")


def disk() -> Iterator[Diagnosis]:
    """Whether there is room for reports."""
    folder = load_settings().reports.path
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        yield Diagnosis("reports folder", "fail", f"This user can't write to {existing}: grant write permission.")
    elif free < SPARE_BYTES:
        yield Diagnosis("reports folder", "fail", f"{folder} has {free / 2**20:,.0f} MB left: free up space.")
    else:
        yield Diagnosis("reports folder", "ok", f"{folder}, {free / 2**30:,.0f} GB free")


def _warehouse() -> Iterator[Diagnosis]:
    with WarehouseHook().connected() as engine, engine.connect() as connection:
        yield from _server(connection)
        yield from _capabilities()
        yield clock("server's clock", sql.run(connection, "SELECT UTC_TIMESTAMP(6)").scalar_one())
        current, newest = versions(connection)
        yield _schema(current, newest)
        if current == newest:
            yield _rights(connection)
            yield _compression(connection)
            yield _months(connection)
            yield from _dropped(connection)
            yield from _copy()
            yield from _origin(connection)
            yield from _freshness(connection)
            yield from _gaps(connection)


def _server(connection: sa.Connection) -> Iterator[Diagnosis]:
    version = str(sql.run(connection, "SELECT VERSION()").scalar_one())
    kind, number = ("MariaDB" if "MariaDB" in version else "MySQL"), version.partition("-")[0]
    oldest = ".".join(map(str, OLDEST[kind]))
    if tuple(int(part) for part in number.split(".")[:2]) < OLDEST[kind]:
        yield Diagnosis("server", "fail", f"{kind} {number}: upgrade to {oldest} or newer")
    else:
        yield Diagnosis("server", "ok", f"{kind} {number}")
    cipher = sql.run(connection, "SHOW STATUS LIKE 'Ssl_cipher'").one()[1]
    yield Diagnosis("TLS", "ok", cipher or "none: a local server, or disabled in the connection")
    loads, packet, pool = sql.run(
        connection, "SELECT @@local_infile, @@max_allowed_packet, @@innodb_buffer_pool_size"
    ).one()
    if loads:
        yield Diagnosis("local_infile", "ok", "on")
    else:
        yield Diagnosis("local_infile", "warn", "off, so loads are slower: SET GLOBAL local_infile = 1 on the server")
    words = f"{packet / 2**20:.0f} MB"
    if packet < PACKET_BYTES:
        yield Diagnosis("max_allowed_packet", "warn", f"{words}: set it to {PACKET_BYTES / 2**20:.0f} MB on the server")
    else:
        yield Diagnosis("max_allowed_packet", "ok", words)
    yield _memory(connection, pool)


def _capabilities() -> Iterator[Diagnosis]:
    """What the writer relies on: a finding for each thing that the server lacks. Tried as the writer connects."""
    with WarehouseHook().connected(loads=True) as engine, engine.connect() as connection:
        missing = lacks(connection)
    for lack in missing:
        name, instead = lack.capability.name, lack.capability.instead
        if lack.is_unknown:
            yield Diagnosis(name, "warn", f"can't be tried by this user: {lack.words}. See include/sql/grants.sql.")
        elif instead:
            yield Diagnosis(name, "warn", f"missing, so {instead}")
        else:
            yield Diagnosis(name, "fail", f"missing: {lack.because}. Use MySQL 8.0 or MariaDB 10.11, or newer.")
    if not missing:
        yield Diagnosis("capabilities", "ok", "the server does what writing relies on")


def _copy() -> Iterator[Diagnosis]:
    """The copy of the warehouse that pages read, if there is one."""
    with WarehouseHook().reading() as connection:
        if note := connection.info.get(NOTE):
            yield Diagnosis("copy", "ok" if note.is_well else "warn", note.words)


def _memory(connection: sa.Connection, pool: int) -> Diagnosis:
    held = sql.run(
        connection,
        "SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables "
        "WHERE table_schema = DATABASE()",
    ).scalar_one()
    words = f"{float(held) / 2**30:,.1f} GB of data and indexes, a buffer pool of {pool / 2**30:,.1f} GB"
    if held > 8 * pool:
        return Diagnosis("memory", "warn", f"{words}: set innodb_buffer_pool_size to an eighth of the data or more")
    return Diagnosis("memory", "ok", words)


def _schema(current: str | None, newest: str) -> Diagnosis:
    if current == newest:
        return Diagnosis("migrations", "ok", newest)
    if current is None or current < newest:
        words = f"{current or 'no schema yet'}, newest {newest}: the next run migrates, or python -m kalshi migrate."
        return Diagnosis("migrations", "warn", words)
    return Diagnosis("migrations", "fail", f"The warehouse is at {current}, this code at {newest}: upgrade the code.")


def _rights(connection: sa.Connection) -> Diagnosis:
    """Check that this user can do what the loader does: change rows, and stage them in a temporary table."""
    for statement in (
        "DELETE FROM kalshi_freshness_rule WHERE FALSE",
        "UPDATE kalshi_freshness_rule SET job = job WHERE FALSE",
        "INSERT INTO kalshi_freshness_rule SELECT * FROM kalshi_freshness_rule WHERE FALSE",
        "CREATE TEMPORARY TABLE kalshi_doctor LIKE kalshi_freshness_rule",
        "DROP TEMPORARY TABLE kalshi_doctor",
    ):
        sql.run(connection, statement)
    return Diagnosis("rights", "ok", "rows can be read, changed and staged")


def _compression(connection: sa.Connection) -> Diagnosis:
    plain = sql.run_file(connection, "doctor", "uncompressed").scalars().all()
    if not plain:
        return Diagnosis("compression", "ok", "on for the tables that grow with time")
    words = f"off for {', '.join(plain)}, which fill the disk several times as fast: docs/operations.md, Disk"
    return Diagnosis("compression", "warn", words)


def _months(connection: sa.Connection) -> Diagnosis:
    """Whether there are partitions for the months to come."""
    there = {table: months.months_of(connection, table) for table in months.PARTITIONED}
    if plain := [table for table, each in there.items() if not each]:
        words = (
            f"{', '.join(plain)} not partitioned, so no month can be dropped: set innodb_file_per_table = 1 on the "
            "server, then python -m kalshi migrate"
        )
        return Diagnosis("months", "warn", words)
    until = min(each[-1] for each in there.values())
    if until < months.ahead(FEWEST_MONTHS):
        return Diagnosis("months", "warn", f"partitions end with {until:%Y-%m}: python -m kalshi migrate makes more")
    return Diagnosis("months", "ok", f"a partition for each, until {until:%Y-%m}")


def _dropped(connection: sa.Connection) -> Iterator[Diagnosis]:
    """What kalshi_retention dropped on purpose, a line per table."""
    found = retention.dropped(connection)
    for table in dict.fromkeys(each.table for each in found):
        gone = [each for each in found if each.table == table]
        rows = sum(each.rows for each in gone)
        words = f"{rows:,} rows in {len(gone)} months up to {gone[-1].first_day:%Y-%m}, on purpose"
        yield Diagnosis(f"dropped of {table}", "ok", words)


def _origin(connection: sa.Connection) -> Iterator[Diagnosis]:
    """A line per exchange that the data came from."""
    for name, is_synthetic in exchanges.names(connection).items():
        yield Diagnosis("data", "ok", f"synthetic, from {name}" if is_synthetic else f"from {name}", is_synthetic)


def _freshness(connection: sa.Connection) -> Iterator[Diagnosis]:
    """One finding per table with a freshness rule; tables whose job never ran are skipped."""
    for table, latest, lag, allowed in sql.run_file(connection, "doctor", "freshness"):
        if lag is not None and lag <= allowed:
            yield Diagnosis(table, "ok", f"{lag} min since its last successful run, {allowed} allowed")
            continue
        since = f"no successful run since {latest:%Y-%m-%d %H:%M} UTC" if latest else "no successful run yet"
        words = f"stale: {since}, {allowed} min allowed. Check its DAG's runs, or edit kalshi_freshness_rule."
        yield Diagnosis(table, "warn" if lag is not None and lag <= 3 * allowed else "fail", words)


def _gaps(connection: sa.Connection) -> Iterator[Diagnosis]:
    """What is known to be missing, a line per job, and what a person accepted."""
    found = gaps.counts(connection)
    for job in dict.fromkeys(count.job for count in found if count.left):
        left = sorted((c for c in found if c.job == job and c.left), key=lambda c: (c.oldest, c.scope))
        scopes = [f"{c.scope}: {c.left:,}, since {c.oldest:%Y-%m-%d %H:%M} UTC" for c in left]
        named = first_few(scopes, MOST_SCOPES, "more scopes")
        total = sum(count.left for count in left)
        yield Diagnosis(
            f"gaps in {job}",
            "warn",
            f"{total:,}, the oldest first: {named}. Ordinary runs fill them; python -m kalshi gaps lists them "
            "and accepts what the exchange no longer has.",
        )
    if not any(count.left for count in found):
        yield Diagnosis("gaps", "ok", "none")
    if accepted := [count for count in found if count.accepted]:
        named = first_few([f"{c.job} of {c.scope}: {c.accepted:,}" for c in accepted], MOST_SCOPES, "more scopes")
        yield Diagnosis("accepted gaps", "ok", f"{sum(c.accepted for c in accepted):,}: {named}")
