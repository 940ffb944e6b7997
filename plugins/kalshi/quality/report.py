"""What the check of one series reports. DAG files load it, so it doesn't import Great Expectations, which takes 3 s."""

from __future__ import annotations

from typing import Annotated

import msgspec

from kalshi.sync.report import Field, WindowReport, union


class QualityReport(WindowReport, kw_only=True):
    """How the check of one series went. ``broken_…``: names of the violated rules, by severity."""

    markets: Annotated[int, Field("markets open in the window", "markets")] = 0
    checks: Annotated[int, Field("checks with rows to check", "checks")] = 0
    empty_checks: Annotated[int, Field("checks without any")] = 0
    broken_errors: Annotated[list[str], Field("broken rules of severity error", "errors", union)] = msgspec.field(
        default_factory=list
    )
    broken_warnings: Annotated[list[str], Field("of severity warning", "warnings", union)] = msgspec.field(
        default_factory=list
    )
    broken_infos: Annotated[list[str], Field("of severity info", "infos", union)] = msgspec.field(default_factory=list)
