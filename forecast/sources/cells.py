"""What one cell of a council's own table means: a period, or a count and why it may be missing.

Nothing is guessed: a date whose day and month could be swapped, a number whose comma could be a decimal
point and a word that is not a known symbol are refused, each with what to do about it.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from decimal import Decimal

import pandas as pd

from forecast.errors import InputError
from forecast.sources.text import looks_personal, shown

PERIOD_ALIAS = {"YS": "Y", "QS": "Q", "MS": "M", "W-MON": "W-SUN"}
PERIOD_WORD = {"YS": "year", "QS": "quarter", "MS": "month", "W-MON": "week (Monday to Sunday)"}
YEARS = range(1990, 2101)
MOST = 1_000_000_000
# symbol as written (brackets and case aside) -> reason; none of them is a zero except low and k
SYMBOLS = {
    "": "blank",
    "c": "c",
    "x": "x",
    "z": "z",
    "u": "u",
    "low": "low",
    "k": "k",
    "*": "small",
    "-": "blank",
    "..": "x",
    "n/a": "x",
}
_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ]00:00(?::00)?)?)?)?")


def read_period(value: object, *, freq: str, formats: Sequence[str], where: str) -> pd.Timestamp:
    """Return the first day of the period a date stands for.

    The first and the last day of a period stand for it ("31/03/2024" is March); any other day is refused,
    because a row a child or a row a day would otherwise pass for a monthly count.

    Parameters
    ----------
    value : object
        Text, or a date from Excel or Parquet.
    freq : {"YS", "QS", "MS", "W-MON"}
    formats : sequence of str
        strftime formats that text may have; none means ISO dates (2024-03-01, 2024-03, and 2024 for years).
    where : str
        Place named in the error.

    Raises
    ------
    InputError
        If the value is no date, is ambiguous, or is not the first or last day of a period.

    Examples
    --------
    >>> read_period("31/03/2024", freq="MS", formats=["%d/%m/%Y"], where="referrals.csv: line 2")
    Timestamp('2024-03-01 00:00:00')
    """
    day = _day(value, freq=freq, formats=formats, where=where)
    if day.year not in YEARS:
        raise InputError(
            f"{where}: the year of {shown(value)} is {day.year}; {YEARS[0]} to {YEARS[-1]} is expected. "
            "Correct the date, or check date_format."
        )
    period = pd.Period(day, PERIOD_ALIAS[freq])
    first, last = period.start_time, period.end_time.normalize()
    if pd.Timestamp(day) not in (first, last):
        raise InputError(
            f"{where}: {shown(value)} is inside a {PERIOD_WORD[freq]}; a count is dated by the first or last day of "
            f"its period ({first:%Y-%m-%d} or {last:%Y-%m-%d}). Count the rows by period, or set freq."
        )
    return first


def _day(value: object, *, freq: str, formats: Sequence[str], where: str) -> dt.date:
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None or value.time() != dt.time():
            raise InputError(
                f"{where}: {shown(value)} has a time of day or a time zone; a plain date is expected. "
                "Turn the column into dates."
            )
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if not text:
        raise InputError(f"{where}: the date is blank; every row with a count needs one. Fill it in or delete the row.")
    if isinstance(value, int) and 20_000 < value < 80_000:
        raise InputError(
            f"{where}: {text} looks like an Excel serial number; a date is expected. "
            "Format the column as a date in Excel."
        )
    return _with_formats(text, formats, where) if formats else _iso(text, freq, where)


def _with_formats(text: str, formats: Sequence[str], where: str) -> dt.date:
    found = set()
    for form in formats:
        try:
            found.add(dt.datetime.strptime(text, form).date())
        except ValueError:
            continue
    wanted = " or ".join(repr(form) for form in formats)
    if not found:
        raise InputError(
            f"{where}: {shown(text)} is not a date in the form {wanted}. "
            "Correct the value, or add its form to date_format."
        )
    if len(found) > 1:
        raise InputError(
            f"{where}: {shown(text)} is {' or '.join(f'{day:%Y-%m-%d}' for day in sorted(found))} under {wanted}. "
            "Set a single date_format."
        )
    return found.pop()


def _iso(text: str, freq: str, where: str) -> dt.date:
    found = _ISO.fullmatch(text)
    enough = found is not None and (found[3] or (found[2] and freq != "W-MON") or freq == "YS")
    if found is not None and enough:
        try:
            return dt.date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
        except ValueError as error:
            raise InputError(
                f"{where}: {shown(text)} is not a day of the calendar ({error}). Correct the date."
            ) from error
    if re.match(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}", text):
        raise InputError(
            f"{where}: {shown(text)} is ambiguous: day or month first. "
            "Set date_format, for example '%d/%m/%Y' for day first."
        )
    raise InputError(
        f"{where}: {shown(text)} is not an ISO date such as 2024-03-01. "
        "Set date_format, for example '%b-%y' for Mar-24."
    )


def read_count(value: object, *, allow_fractions: bool, where: str) -> tuple[float, str]:
    """Return a count and the reason it is missing or may not be used ("" when it may).

    Parameters
    ----------
    value : object
        Text or a number. A blank is missing, never zero; suppression symbols keep their reason, with or
        without brackets; `<5` and `*` are "small"; a thousands comma is accepted where it can be nothing else.
    allow_fractions : bool
        Whether the figure is a rate: children are counted in whole numbers.
    where : str
        Place named in the error.

    Raises
    ------
    InputError
        If the value is negative, impossibly large, fractional where it may not be, or not a number or known
        symbol.

    Examples
    --------
    >>> [read_count(cell, allow_fractions=False, where="x.csv: line 2") for cell in ("1,204", "[c]")]
    [(1204.0, ''), (nan, 'c')]
    """
    if looks_personal(value):
        raise InputError(
            f"{where}: the value (not shown) looks like a postcode, UPN or NHS number; counts are expected. "
            "Map y to the column that holds counts."
        )
    number = _number(value)
    if number is None:
        text = "" if value is None else str(value).strip()
        symbol = re.sub(r"^\[(.*)\]$", r"\1", text).casefold()
        if symbol in SYMBOLS:
            return math.nan, SYMBOLS[symbol]
        if re.fullmatch(r"<\s?\d+", text):
            return math.nan, "small"
        known = ", ".join(repr(mark) for mark in SYMBOLS if mark)
        raise InputError(
            f"{where}: {shown(value)} is not a count; a number such as 1204 or 1,204, a blank or a symbol "
            f"({known}, <5) is expected. Correct the cell."
        )
    if math.isnan(number):
        return math.nan, "blank"
    if number < 0 or math.isinf(number):
        raise InputError(
            f"{where}: {shown(value)} is not a count of 0 or more. Correct the cell; leave it blank if unknown."
        )
    if number > MOST:
        raise InputError(
            f"{where}: {shown(value)} is more than {MOST:,}, more people than could be counted. Correct the cell."
        )
    if not (allow_fractions or number.is_integer()):
        raise InputError(
            f"{where}: {shown(value)} is a fraction; children are counted in whole numbers. Correct the cell."
        )
    return number, ""


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return float(value)
    text = str(value).strip()
    if re.fullmatch(r"-?(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d+)?", text):
        return float(text.replace(",", ""))
    return None
