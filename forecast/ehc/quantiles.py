"""From paths to the columns of a frame: mean, median and the ends of intervals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from forecast.errors import SpecError
from forecast.panel import FloatArray


def summary(values: FloatArray, levels: Sequence[float]) -> dict[str, FloatArray]:
    """Summarise paths, period by period.

    Parameters
    ----------
    values : ndarray (n_paths, ...)
        NaN where a path has no figure: left out, and NaN where no path has one.
    levels : sequence of float
        Per cent of futures within each interval.

    Returns
    -------
    dict of str to ndarray (...)
        mean, median, and lo-80 and hi-80 for a level of 80, in that order.

    Raises
    ------
    SpecError
        A level is not a per cent between 0 and 100, or so small that it looks like a share.

    Examples
    --------
    >>> {name: float(value) for name, value in summary(np.arange(11.0), [80]).items()}
    {'mean': 5.0, 'median': 5.0, 'lo-80': 1.0, 'hi-80': 9.0}
    """
    for level in levels:
        if not 1 < level < 100:
            raise SpecError(f"level {level:g}: {_fault(level)}")
    ends = {f"{end}-{level:g}": (100 + side * level) / 200 for level in levels for end, side in (("lo", -1), ("hi", 1))}
    if not np.isnan(values).any():
        quantiles = np.quantile(values, [0.5, *ends.values()], axis=0)
        mean = values.mean(axis=0)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            quantiles = np.nanquantile(values, [0.5, *ends.values()], axis=0)
            mean = np.nanmean(values, axis=0)
    return {"mean": mean, "median": quantiles[0]} | dict(zip(ends, quantiles[1:], strict=True))


def _fault(level: float) -> str:
    if 0 < level <= 1:
        return "levels are per cent of futures, not shares. Give 80 rather than 0.8."
    return "an interval holds more than 0 and less than 100 per cent of futures. Give a level such as 80."
