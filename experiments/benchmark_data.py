"""The panels of the benchmark: what a model may see, and the periods held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.panel import SEASON_LENGTH, FloatArray

FOLDER = Path(__file__).parent / "data"
SEED = 2024


@dataclass(frozen=True)
class Task:
    """A panel and the periods at its end that are to be forecast.

    Attributes
    ----------
    panel : str
        Name of its file in `experiments/data`, whose README says what it is.
    freq : {"MS", "QS"}
    last : str
        First day of the last period held out.
    horizon : int
        Periods held out.
    """

    panel: str
    freq: str
    last: str
    horizon: int

    @property
    def period(self) -> int:
        """Season length in periods."""
        return SEASON_LENGTH[self.freq]


TASKS = {
    task.panel: task
    for task in (
        Task("hospital", "MS", "2006-12-01", 12),
        Task("m1_monthly", "MS", "1989-12-01", 18),
        Task("tourism", "QS", "2017-10-01", 8),
    )
}


@dataclass(frozen=True, eq=False)
class Series:
    """Series of a task, in the order of its file.

    Attributes
    ----------
    task : Task
    keys : DataFrame
        Key columns by unique_id; perhaps none.
    dates : DatetimeIndex, length T
    values : ndarray (n, T)
        NaN before a series begins; the last `task.horizon` columns are held out.
    """

    task: Task
    keys: pd.DataFrame
    dates: pd.DatetimeIndex
    values: FloatArray

    @property
    def ids(self) -> tuple[str, ...]:
        """unique_id of every series."""
        return tuple(self.keys.index)

    @property
    def history(self) -> FloatArray:
        """What a model may see (n, T-h)."""
        return self.values[:, : -self.task.horizon]

    @property
    def actual(self) -> FloatArray:
        """What is held out (n, h)."""
        return self.values[:, -self.task.horizon :]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The history in long form: unique_id, ds, y and the key columns."""
        row, column = np.nonzero(np.isfinite(self.history))
        keys = self.keys.iloc[row].reset_index()
        return keys.assign(ds=self.dates[column], y=self.history[row, column])

    def every(self, step: int) -> Series:
        """Return every `step`-th series, from a first one that the seed picks."""
        first = int(np.random.default_rng(SEED).integers(step))
        return self._rows(slice(first, None, step))

    def for_warming(self, series: int | None) -> Series:
        """Return the first few series, or all, one period earlier: like what will be timed, and not the same."""
        return replace(self._rows(slice(series)), dates=self.dates[:-1], values=self.values[:series, :-1])

    def _rows(self, rows: slice) -> Series:
        return replace(self, keys=self.keys.iloc[rows], values=self.values[rows])


def load(panel: str) -> Series:
    """Read a panel of the benchmark, one of `TASKS`."""
    task = TASKS[panel]
    table = pd.read_csv(FOLDER / f"{panel}.csv.xz", index_col="unique_id")
    figures = [np.array(text.split(), dtype=np.float64) for text in table["y"]]
    length = max(map(len, figures))
    values = np.stack([np.pad(y, (length - len(y), 0), constant_values=np.nan) for y in figures])
    dates = pd.date_range(end=task.last, periods=length, freq=task.freq)
    return Series(task, keys=table.drop(columns="y"), dates=dates, values=values)
