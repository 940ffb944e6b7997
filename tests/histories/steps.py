"""What can happen in a history. Each step prints as the code that makes it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hypothesis import strategies as st


class _Short:
    """Prints without the fields that have their default."""

    def __repr__(self) -> str:
        given = [(f.name, getattr(self, f.name)) for f in fields(self)]  # type: ignore[arg-type]
        defaults = {f.name: f.default for f in fields(self)}  # type: ignore[arg-type]
        words = [f"{name}={value!r}" for name, value in given if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(words)})"


@dataclass(frozen=True, repr=False)
class At(_Short):
    """Time passes until the machine's clock shows ``clock`` (HH:MM:SS) next."""

    clock: str


@dataclass(frozen=True, repr=False)
class Pause(_Short):
    """Nothing runs for ``days``; meanwhile there is an event a week, and one on the last day."""

    days: int


@dataclass(frozen=True, repr=False)
class Run(_Short):
    """The scheduled run of a job that is due; of candles, those of all days that are due, the oldest first.

    ``kill``: the process dies before this transaction commits. ``fail``: so many requests succeed, then ``times`` fail
    as ``how`` says (see exchange.Trouble). For candles they strike the first day. ``retry``: if the job's last run died
    or failed, the same run again. ``lenient``: the share of rejected records that is tolerated is 0.9, not 0.01.
    """

    job: str
    kill: int | None = None
    fail: int | None = None
    times: int = 99
    how: str = "503"
    retry: bool = False
    lenient: bool = False


@dataclass(frozen=True, repr=False)
class Hour(_Short):
    """All that is due in this hour, without trouble: catalog, settlements, trades, candles."""


@dataclass(frozen=True, repr=False)
class Reread(_Short):
    """A run by hand of ``days`` days that ended ``ago`` days ago (0: with yesterday), of candles or trades."""

    job: str = "candles"
    ago: int = 0
    days: int = 1
    force: bool = True
    kill: int | None = None
    fail: int | None = None


@dataclass(frozen=True, repr=False)
class Late(_Short):
    """From now on ``what`` (trade, candle, market, settlement) of a market is published ``minutes`` late."""

    what: str
    minutes: int
    market: str = "A"


@dataclass(frozen=True, repr=False)
class Spoil(_Short):
    """``what`` (market, times, trade, candle) of a market can't be read until :class:`Mend`."""

    what: str
    market: str = "A"


@dataclass(frozen=True, repr=False)
class Mend(_Short):
    """Everything that couldn't be read can be."""


@dataclass(frozen=True, repr=False)
class Vanish(_Short):
    """No route knows a market until :class:`Return`."""

    market: str = "A"


@dataclass(frozen=True, repr=False)
class Return(_Short):
    """The markets that vanished are back."""


@dataclass(frozen=True, repr=False)
class Cutoff(_Short):
    """The historical tier ends ``hours`` ago from now on, unless it ends later already."""

    hours: int


@dataclass(frozen=True, repr=False)
class Terse(_Short):
    """From now on a tier answers with empty lists for what is in the other one (``yes``), or with 404."""

    yes: bool


@dataclass(frozen=True, repr=False)
class Skew(_Short):
    """The machine's clock is ``seconds`` ahead of the exchange's."""

    seconds: int


@dataclass(frozen=True, repr=False)
class Prune(_Short):
    """What is older than the last whole month is dropped on purpose: trades, dense minutes, or candles and these."""

    what: str
    kill: int | None = None


Step = At | Pause | Run | Hour | Reread | Late | Spoil | Mend | Vanish | Return | Cutoff | Terse | Skew | Prune

JOBS = ["catalog", "settlements", "trades", "candles"]
NIGHT = [
    *("16:00:00", "23:10:00", "23:45:30", "23:59:30", "23:59:58", "00:00:01", "00:00:05", "00:05:00", "00:12:00"),
    *("00:31:00", "01:00:02", "02:00:05", "03:30:00", "09:00:00"),
]
"""The times around which markets open, close and settle, windows end, and late records come."""

_jobs, _letters, _booleans = st.sampled_from(JOBS), st.sampled_from("AB"), st.booleans()
_kills = st.integers(1, 25)
_hows = st.sampled_from(["503", "lost", "cut", "doubled"])
_runs = st.one_of(
    st.builds(Run, _jobs, lenient=_booleans),
    st.builds(Run, _jobs, kill=_kills),
    st.builds(Run, _jobs, fail=st.integers(0, 12), times=st.sampled_from([1, 99]), how=_hows, lenient=_booleans),
    st.builds(Run, _jobs, retry=st.just(True), lenient=_booleans),
    st.builds(
        Reread, st.sampled_from(["candles", "trades"]), st.integers(0, 3), st.integers(1, 3), kill=st.none() | _kills
    ),
)
_records = st.one_of(
    st.builds(Late, st.just("trade"), st.sampled_from([1, 9, 25, 58]), _letters),
    st.builds(Late, st.just("candle"), st.sampled_from([1, 5, 9]), _letters),
    st.builds(Late, st.just("market"), st.sampled_from([1, 31, 61, 121, 200]), _letters),
    st.builds(Late, st.just("settlement"), st.sampled_from([30, 400]), _letters),
    st.builds(Spoil, st.sampled_from(["market", "times", "trade", "candle"]), _letters),
    st.just(Mend()),
    st.builds(Vanish, _letters),
    st.just(Return()),
)
_settings = st.one_of(
    st.sampled_from([2, 20, 30, 100]).map(Cutoff),
    _booleans.map(Terse),
    st.sampled_from([-60, -3, 3, 60]).map(Skew),
)
_prunes = st.builds(Prune, st.sampled_from(["trades", "dense", "candles"]), kill=st.none() | st.integers(1, 12))
_steps: list[st.SearchStrategy[Step]] = [st.just(Hour()), _runs, _runs, _records, _records, _settings, _prunes]
_acts = st.lists(st.integers(0, len(_steps) - 1).flatmap(lambda kind: _steps[kind]), min_size=1, max_size=3)
_moments = st.tuples(st.integers(0, len(NIGHT) - 1), _acts)
_nights = st.lists(_moments, min_size=1, max_size=4, unique_by=lambda moment: moment[0])
_pauses = st.sampled_from([None, None, None, None, 8, 29, 31, 45])


def _flat(nights: list[tuple[int | None, list[tuple[int, list[Step]]]]]) -> list[Step]:
    steps: list[Step] = []
    for pause, night in nights:
        for clock, acts in sorted(night, key=lambda moment: moment[0]):
            steps += [At(NIGHT[clock]), *acts]
        steps += [Pause(pause)] if pause else []
    return steps


HISTORIES: st.SearchStrategy[list[Step]] = st.lists(st.tuples(_pauses, _nights), min_size=1, max_size=3).map(_flat)
"""A few nights; at some moments of each, one to three things happen."""


def story(steps: list[Step]) -> str:
    """The steps as the code that plays them again."""
    return "\n".join(["replay(", *(f"    {step!r}," for step in steps), ")"])
