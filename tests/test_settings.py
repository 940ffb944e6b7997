"""The settings: ``kalshi.toml`` as it is shipped, and what a mistake in it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from kalshi.settings import INCLUDE, PROJECT, Settings, SettingsError, load_settings

TEXT = (INCLUDE / "kalshi.toml").read_text(encoding="utf-8")
Load = Callable[[str], Settings]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads settings with this text."""
    file = tmp_path / "my.toml"
    monkeypatch.setenv("KALSHI_SETTINGS", str(file))
    monkeypatch.delenv("KALSHI_REPORTS_FOLDER", raising=False)

    def load(text: str) -> Settings:
        file.write_text(text, encoding="utf-8")
        load_settings.cache_clear()
        return load_settings()

    yield load
    load_settings.cache_clear()


def test_the_shipped_file_says_what_it_means(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(TEXT)
    assert settings.candles.start == datetime(2025, 9, 29, tzinfo=UTC)
    assert settings.quality.max_spread == Decimal("0.10")
    assert settings.series_tickers[0] == "KXHIGHMIA"
    assert str(settings.time_zone("KXHIGHLAX")) == "America/Los_Angeles"
    assert settings.time_zone("KXOTHER") is None
    assert settings.reports.path == PROJECT / "reports"
    monkeypatch.setenv("KALSHI_REPORTS_FOLDER", "/elsewhere")
    assert settings.reports.path == Path("/elsewhere")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dense = true", 'dense = "false"', "Expected `bool`, got `str` - at `$.candles.dense`"),
        ("retries = 4", "retrys = 4", "unknown field `retrys` - at `$.tasks`"),
        ("keep = 300", "keep = -1", ">= 0 - at `$.reports.keep`"),
        ("keep = 300", "", "missing required field `keep` - at `$.reports`"),
        ("rejected_share = 0.01", "rejected_share = 1.5", "<= 1.0 - at `$.tolerances.rejected_share`"),
        ('max_spread = "0.10"', 'max_spread = "wide"', "Invalid decimal string - at `$.quality.max_spread`"),
        ('"America/New_York"', '"New York"', "'New York' is not a time zone of the IANA database - at `$.series["),
        ('name = "day_10"', 'name = "open"', "can't be named open"),
        (
            'trade_schema = { severity = "error"',
            'trade_schema = { severity = "fatal"',
            "'fatal' - at `$.quality.checks[",
        ),
        ("mostly = 0.9 }", "mostly = 1.5 }", "<= 1.0 - at `$.quality.checks["),
        ("[reports]", "[reports", "Expected"),
    ],
)
def test_a_mistake_is_named_with_its_place_in_the_file(load: Load, old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(SettingsError, match=r"/my\.toml can't be used: ") as error:
        load(TEXT.replace(old, new))
    assert words in str(error.value)


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KALSHI_SETTINGS", str(tmp_path / "none.toml"))
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match=r"none\.toml can't be used: .*No such file"):
        load_settings()
    load_settings.cache_clear()
