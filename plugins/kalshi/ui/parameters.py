"""Parameters of the pages' addresses: their types, and what to say about a value that doesn't fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from textwrap import shorten
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
"""No market is older, and a year before or after these still has dates."""
EMPTY_IS_NONE = BeforeValidator(lambda value: value or None)
"""A form sends an empty text if nothing was chosen."""
Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
OptionalDay = Annotated[Day | None, EMPTY_IS_NONE]
OptionalSubaccount = Annotated[Annotated[int, Field(ge=0, le=65_535)] | None, EMPTY_IS_NONE]
LONGEST_VALUE = 60
"""Characters of a wrong value that are repeated."""
A_DAY = "a day such as 2026-09-20"
EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "date_from_datetime_parsing": lambda limits: A_DAY,
    "date_parsing": lambda limits: A_DAY,
    "date_type": lambda limits: A_DAY,
    "int_parsing": lambda limits: "a whole number",
    "int_parsing_size": lambda limits: "a smaller number",
    "float_parsing": lambda limits: "a number",
    "bool_parsing": lambda limits: "true or false",
    "greater_than_equal": lambda limits: f"{limits['ge']} or {_beyond(limits['ge'], 'later', 'more')}",
    "less_than_equal": lambda limits: f"{limits['le']} or {_beyond(limits['le'], 'earlier', 'less')}",
    "greater_than": lambda limits: f"more than {limits['gt']}",
    "less_than": lambda limits: f"less than {limits['lt']}",
    "string_too_long": lambda limits: f"at most {limits['max_length']} characters long",
    "literal_error": lambda limits: f"one of {limits['expected']}",
}
"""By pydantic's kind of error, what a parameter must be."""


def complaint(error: Mapping[str, Any]) -> str:
    """What is wrong with a parameter, from one of pydantic's errors, in a sentence."""
    name = str(error["loc"][-1])
    if error["type"] == "missing":
        return f"The parameter {name} is missing."
    describe = EXPECTED.get(error["type"])
    expected = f"must be {describe(error.get('ctx', {}))}" if describe else f"isn't right ({error['msg']})"
    return f"The parameter {name} {expected}; it is “{shorten(str(error['input']), LONGEST_VALUE, placeholder='…')}”."


def _beyond(limit: Any, day: str, number: str) -> str:
    return day if str(limit).count("-") == 2 else number
