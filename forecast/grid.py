"""Long frames laid on a regular grid: every row is checked, then placed by series and period.

Ids, dates and keys are looked at once per distinct value and by number after that, so that a panel of
millions of rows is read in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PERIOD_NAME = {"YS": "year", "QS": "quarter", "MS": "month", "W-MON": "week"}
PANEL, KNOWN = "panel", "known"
COLUMNS = ("unique_id", "ds", "y")


@dataclass(frozen=True, eq=False)
class Placed:
    """Rows of a long frame by number.

    Attributes
    ----------
    ids : Index of str, length n
        unique_id of every series, sorted.
    series : ndarray of int (rows,)
        Series of each row.
    dates : DatetimeIndex
        The grid from the first to the last date of the frame.
    period : ndarray of int (rows,)
        Period of each row.
    """

    ids: pd.Index
    series: IntArray
    dates: pd.DatetimeIndex
    period: IntArray


def panel_arrays(df: pd.DataFrame, freq: str) -> tuple[FloatArray, pd.DatetimeIndex, pd.DataFrame]:
    """Check the rows of a panel and return its values (n, T), dates and keys by unique_id.

    Raises
    ------
    InputError
        A row or a series breaks a rule; the message names it.
    """
    missing = [name for name in COLUMNS if name not in df.columns]
    if missing:
        raise InputError(
            f"panel: column {', '.join(missing)} missing (found: {', '.join(map(str, df.columns))}); "
            "unique_id, ds and y are needed. Rename your columns."
        )
    if df.empty:
        raise InputError("panel: no rows; at least one series with two figures is needed. Check the filter before it.")
    placed = _place(df, freq, PANEL)
    y = _numbers(df["y"], "panel: column y", "Keep symbols as a reason and leave y empty")
    bad = np.flatnonzero(np.isinf(y) | (y < 0))
    if len(bad):
        first = bad[0]
        raise InputError(
            f"series {placed.ids[placed.series[first]]!r}: y = {y[first]:g} at "
            f"{placed.dates[placed.period[first]]:%Y-%m-%d}; counts are finite and not negative. "
            "Correct the figure or leave it empty."
        )
    _check_repeats(placed, PANEL)
    values = np.full((len(placed.ids), len(placed.dates)), np.nan)
    values[placed.series, placed.period] = y
    return values, placed.dates, _constant_keys(df, placed)


def known_arrays(frame: pd.DataFrame, ids: pd.Index, dates: pd.DatetimeIndex, freq: str) -> dict[str, FloatArray]:
    """Check columns that are known ahead and return each as an array (n, F), F at least the length of `dates`.

    Parameters
    ----------
    frame : DataFrame
        ds, numeric columns, and unique_id unless the figures are the same for all series. Other series and
        earlier dates are left out.
    ids : Index of str
        The panel's series.
    dates : DatetimeIndex
        The panel's dates.
    freq : str

    Raises
    ------
    InputError
        A row breaks a rule or a period is not covered; the message names it.
    """
    shared = "unique_id" not in frame.columns
    names = [name for name in frame.columns if name not in COLUMNS[:2]]
    found = ", ".join(map(str, frame.columns))
    if "ds" not in frame.columns:
        raise InputError(
            f"known: column ds missing (found: {found}); ds is needed, and unique_id unless all series share the "
            "figures. Rename your columns."
        )
    if not names:
        raise InputError(f"known: no column besides {found}; at least one number a period is needed. Add a column.")
    if frame.empty:
        raise InputError("known: no rows; every period of the panel is needed. Check the filter before it.")
    rows = frame.assign(unique_id=_EVERY_SERIES) if shared else frame
    placed = _place(rows, freq, KNOWN)
    _check_repeats(placed, KNOWN)
    series = np.zeros(1, dtype=np.int64) if shared else np.asarray(ids.get_indexer(placed.ids), dtype=np.int64)
    end = max(placed.dates[-1], dates[-1])
    grid = pd.date_range(dates[0], end, freq=freq)
    row, column = series[placed.series], np.asarray(grid.get_indexer(placed.dates), dtype=np.int64)[placed.period]
    used = np.flatnonzero((row >= 0) & (column >= 0))
    row, column = row[used], column[used]
    last = int(column.max(initial=len(dates) - 1)) + 1
    _check_cover(row, column, (_EVERY_SERIES,) if shared else ids, grid[:last])
    arrays = {}
    for name in names:
        figures = _numbers(rows[name], f"known: column {name!r}", "Code a category as columns of 0 and 1")[used]
        bad = np.flatnonzero(~np.isfinite(figures))
        if len(bad):
            whose = _whose(KNOWN, _EVERY_SERIES if shared else ids[row[bad[0]]])
            raise InputError(
                f"{whose}: {name} = {figures[bad[0]]:g} at {grid[column[bad[0]]]:%Y-%m-%d}; what is known ahead is "
                "a finite number in every period. Fill it in or leave the column out."
            )
        wide = np.empty((1 if shared else len(ids), last))
        wide[row, column] = figures
        arrays[str(name)] = read_only(np.broadcast_to(wide, (len(ids), last)))
    return arrays


def read_only(array: FloatArray) -> FloatArray:
    """Return a view of an array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


_EVERY_SERIES = ""


def _whose(what: str, name: str) -> str:
    if what == PANEL:
        return f"series {name!r}"
    return what if name == _EVERY_SERIES else f"{what} of series {name!r}"


def _place(df: pd.DataFrame, freq: str, what: str) -> Placed:
    codes, found = pd.factorize(df["unique_id"])
    nameless = int((codes < 0).sum())
    if nameless:
        raise InputError(f"{what}: {nameless} rows without unique_id; each row needs one. Fill or drop them.")
    same_name, names = pd.factorize(pd.Series(found).astype(str), sort=True)
    ids = pd.Index(names, name="unique_id")
    series = np.asarray(same_name[codes], dtype=np.int64)
    dates, period = _grid_of(df["ds"], freq, what, ids, series)
    return Placed(ids, series, dates, period)


def _grid_of(
    column: pd.Series, freq: str, what: str, ids: pd.Index, series: IntArray
) -> tuple[pd.DatetimeIndex, IntArray]:
    if pd.api.types.is_numeric_dtype(column):
        raise InputError(
            f"{what}: column ds holds numbers, first {column.iloc[0]:g}; dates are needed. "
            "Write a year as its first day, such as 2024-01-01."
        )
    codes, found = pd.factorize(column)
    try:
        distinct = pd.DatetimeIndex(pd.to_datetime(found, format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{what}: column ds holds a value that is not an ISO date ({_first_sentence(error)}). "
            "Parse dates with their own format first."
        ) from error
    undated = np.flatnonzero((codes < 0) | np.append(distinct.isna(), True)[codes])
    if len(undated):
        whose = _whose(what, ids[series[undated[0]]])
        raise InputError(f"{whose}: {len(undated)} rows without a date; each needs ds. Fill or drop them.")
    if distinct.tz is not None:
        raise InputError(f"{what}: column ds has a time zone; dates are plain days. Drop it with dt.tz_localize(None).")
    wide = pd.date_range(distinct.min().normalize() - pd.DateOffset(years=1), distinct.max(), freq=freq)
    off = np.flatnonzero(~distinct.isin(wide)[codes])
    if len(off):
        whose, date = _whose(what, ids[series[off[0]]]), distinct[codes[off[0]]]
        raise InputError(
            f"{whose}: date {date} is not the first day of a {PERIOD_NAME[freq]} "
            f"(freq {freq}). Move it to the period's first day or set another freq."
        )
    grid = pd.date_range(distinct.min(), distinct.max(), freq=freq)
    return grid, np.asarray(grid.get_indexer(distinct)[codes], dtype=np.int64)


def _numbers(column: pd.Series, what: str, remedy: str) -> FloatArray:
    try:
        return np.asarray(pd.to_numeric(column).astype(float), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(f"{what} holds a value that is not a number ({_first_sentence(error)}). {remedy}.") from error


def _first_sentence(error: Exception) -> str:
    return str(error).split(". ")[0].split("\n")[0]


def _check_repeats(placed: Placed, what: str) -> None:
    cell = placed.series * len(placed.dates) + placed.period
    taken = np.zeros(len(placed.ids) * len(placed.dates), dtype=np.bool_)
    taken[cell] = True
    if np.count_nonzero(taken) == len(cell):
        return
    repeated = np.flatnonzero(pd.Series(cell).duplicated())
    first = repeated[0]
    raise InputError(
        f"{_whose(what, placed.ids[placed.series[first]])}: {len(repeated)} repeated periods, first "
        f"{placed.dates[placed.period[first]]:%Y-%m-%d}; one row a series and period is allowed. "
        "Remove or add up the repeats."
    )


def _check_cover(row: IntArray, column: IntArray, ids: Sequence[str] | pd.Index, grid: pd.DatetimeIndex) -> None:
    """Refuse columns known ahead that leave out a period of a series up to the last date given for any."""
    covered = np.zeros((len(ids), len(grid)), dtype=np.bool_)
    covered[row, column] = True
    if covered.all():
        return
    missing = np.argwhere(~covered)
    series, period = missing[0]
    raise InputError(
        f"{_whose(KNOWN, ids[series])}: no row for {grid[period]:%Y-%m-%d} ({len(missing)} missing in all); every "
        f"series needs every period from {grid[0]:%Y-%m-%d}, the panel's first, to {grid[-1]:%Y-%m-%d}. Add the rows."
    )


def _constant_keys(df: pd.DataFrame, placed: Placed) -> pd.DataFrame:
    columns = [name for name in df.columns if name not in COLUMNS]
    first = np.empty(len(placed.ids), dtype=np.int64)
    first[placed.series[::-1]] = np.arange(len(df))[::-1]
    for name in columns:
        codes = np.asarray(pd.factorize(df[name])[0])
        varied = placed.series[codes != codes[first][placed.series]]
        if len(varied):
            raise InputError(
                f"series {placed.ids[varied.min()]!r}: key column {name!r} changes within the series; a key is "
                "constant. Drop the column or make it part of unique_id."
            )
    return df[columns].iloc[first].set_axis(placed.ids, axis=0)
