"""What a projection is given is checked before anything is made of it."""

from __future__ import annotations

from datetime import date

import pandas as pd

from forecast.errors import InputError, SpecError
from forecast.sources.observations import visible
from forecast.speech_language.cells import KEYS
from forecast.speech_language.service import Service

COLUMNS = ("ds", *KEYS, "source", "y")


def known_lists(waiting: pd.DataFrame, *, as_of: date | str | None) -> pd.DataFrame:
    """Return published lists that were known on a day.

    Raises
    ------
    SpecError
        The day is none.
    InputError
        Nothing was known by then.
    """
    if as_of is None:
        return waiting
    known = visible(waiting, _day(as_of))
    if known.empty:
        raise InputError(f"waiting lists: none was published by {as_of}. Give a later day.")
    return known


def checked_log(log: pd.DataFrame, *, as_of: date | str | None) -> pd.DataFrame:
    """Return a referral log, or what was known of it on a day where it tells when counts became available.

    Raises
    ------
    SpecError
        The day is none.
    InputError
        Columns or rows are missing, a date is not the first of a month, a group stands twice in a month, or a count is
        negative.
    """
    missing = [name for name in COLUMNS if name not in log]
    if missing:
        raise InputError(
            f"referral log: no column {', '.join(missing)}. Give {', '.join(COLUMNS)}; 'all' where a key is not told."
        )
    if as_of is not None and "available" in log:
        log = log[log["available"] <= _day(as_of)]
    if log.empty:
        raise InputError("referral log: no row. Give counts of the last months at least.")
    if not log["ds"].dt.is_month_start.all():
        first = log.loc[~log["ds"].dt.is_month_start, "ds"].iloc[0]
        raise InputError(f"referral log: {first:%Y-%m-%d} is not the first of a month. Date counts by their first day.")
    twice = log[log.duplicated(["ds", *KEYS, "source"])]
    if len(twice):
        row = twice.iloc[0]
        named = ", ".join(str(row[key]) for key in (*KEYS, "source"))
        raise InputError(f"referral log: {named} stands twice in {row['ds']:%Y-%m}. Add the two up.")
    if (log["y"] < 0).any():
        raise InputError(
            f"referral log: a count of {log['y'].min():g}. Counts are 0 or more; leave unknown ones empty."
        )
    return log


def check_options(service: Service, months: pd.DatetimeIndex) -> None:
    """Refuse options that begin too late, and moves that the log must have already.

    Raises
    ------
    SpecError
        One starts after the last month, or a move before the first.
    """
    first, last = months[0], months[-1] + pd.offsets.MonthEnd()
    for option in service.options:
        days = [step.start for step in option.wte] + [step.start for step in option.capacity]
        for day in [*days, *(move.start for move in option.tiers)]:
            if pd.Timestamp(day) > last:
                raise SpecError(
                    f"option {option.name!r}: it starts on {day}, after the last month projected, {last:%B %Y}. Start "
                    "it earlier, or project more months."
                )
        for move in option.tiers:
            if pd.Timestamp(move.start) < first:
                raise SpecError(
                    f"option {option.name!r}: {move.name} starts on {move.start}, before the first month projected, "
                    f"{first:%B %Y}: referrals counted since have it already. Start it then or later."
                )


def _day(as_of: date | str) -> pd.Timestamp:
    try:
        return pd.Timestamp(as_of)
    except ValueError as error:
        raise SpecError(f"as_of {as_of!r}: not a day. Write it like 2024-07-01.") from error
