"""Evidence: which gaps a run reads, in the company of other runs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kalshi.exchange import ExchangeUnavailable
from kalshi.exchange.transport import Traffic
from kalshi.records import Rejected
from kalshi.sync.evidence import Doubt, Read, Reading, expect, read_gap, read_missing
from kalshi.sync.pages import Batch, write_batch
from kalshi.sync.run import recorded_run
from kalshi.warehouse import catalog, gaps
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import WHOLE, Gap
from kalshi.warehouse.ledger import RunKey
from kalshi.warehouse.server import in_transaction

SEP_20 = datetime(2026, 9, 20, tzinfo=UTC)
DAY = Window("trades", "KXHIGHNY", SEP_20, SEP_20 + timedelta(days=1))
MARKET = "KXHIGHNY-26SEP20-B65.5"
OTHER_RUN = 9_999


def read_day(engine: sa.Engine, others: list[Gap]) -> list[str]:
    """The markets that a run reads, one by one, while another run notes the gaps ``others`` again and again."""
    read: list[str] = []

    def reader(reading: Reading) -> Iterator[Doubt]:
        read.append(reading.market)
        assert len(read) < 9, "the run never ends"
        in_transaction(engine, gaps.note, gaps=others, run_id=OTHER_RUN)
        yield from ()

    with recorded_run(engine, RunKey(DAY.job, DAY.scope, None, DAY.start, DAY.end), Traffic()) as run:
        expect(run, DAY)
        read_missing(run, DAY, reader)
    return read


def test_a_run_reads_each_gap_once_however_often_another_run_notes_it_again(warehouse: sa.Engine) -> None:
    assert read_day(warehouse, [Gap(DAY), Gap(DAY, MARKET, "neither tier knows the market")]) == [WHOLE, MARKET]


def test_an_older_gap_is_tried_once_however_often_another_run_notes_it_again(warehouse: sa.Engine) -> None:
    eve = Window(DAY.job, DAY.scope, SEP_20 - timedelta(days=1), SEP_20)
    assert read_day(warehouse, [Gap(eve, MARKET, "neither tier knows the market")]) == [WHOLE, MARKET]


def test_no_reading_begins_while_rows_of_its_series_are_being_written(warehouse: sa.Engine) -> None:
    """It would not see them, and its end would count as evidence."""
    events: list[str] = []

    def reader(_: Reading) -> Iterator[Doubt]:
        events.append("read")
        yield from ()

    in_transaction(warehouse, catalog.expect_markets, [MARKET], OTHER_RUN)
    with recorded_run(warehouse, RunKey(DAY.job, DAY.scope), Traffic()) as run, ThreadPoolExecutor(1) as pool:
        with warehouse.begin() as connection:
            gaps.hold(connection, [DAY.scope])
            reading = pool.submit(read_gap, run, Gap(DAY), reader)
            wait([reading], timeout=1)
            events.append("written")
        reading.result()
    assert events == ["written", "read"]


def test_a_window_lacks_the_markets_that_the_catalog_lacks_when_it_is_read(warehouse: sa.Engine) -> None:
    catalog_window = Window("catalog", DAY.scope, SEP_20 - timedelta(days=99), SEP_20)
    in_transaction(warehouse, gaps.note, [Gap(catalog_window, MARKET, "rejected: soon")])
    read_day(warehouse, [])
    (left,) = in_transaction(warehouse, gaps.open_gaps, DAY.job, DAY.scope)
    assert (left, left.reason) == (Gap(DAY, MARKET), "missing from catalog: rejected: soon")


def test_a_reading_that_resumes_counts_what_was_rejected_before(warehouse: sa.Engine) -> None:
    """Five of thirty records are too many, whichever attempt met them."""
    bad = [Rejected("/markets/trades", "not a number", b"%d" % number) for number in range(5)]

    def reader(*batches: list[Rejected]) -> Read:
        def read(reading: Reading) -> Iterator[Doubt]:
            for number, rejected in enumerate(batches, 1):
                batch = Batch("/markets/trades", number, 10 - len(rejected), rejected)
                write_batch(run, batch, lambda _: {}, reading, {"market": MARKET}, concerns=MARKET)
            if reading.reached is None:
                raise ExchangeUnavailable("the exchange is away")
            yield from ()

        return read

    with recorded_run(warehouse, RunKey(DAY.job, DAY.scope), Traffic()) as run:
        with pytest.raises(ExchangeUnavailable):
            read_gap(run, Gap(DAY), reader(bad, []))
        assert read_gap(run, Gap(DAY), reader([]))
