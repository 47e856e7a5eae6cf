"""When a target is met, when a list stops growing, and how sure that is: read off paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.panel import FloatArray

IN_A_ROW = 3
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class When:
    """A month over all paths.

    Attributes
    ----------
    month, low, high : Timestamp or None
        First days of the middle month, and of the ends of the 80 % range; None: not within the months projected.
    chance : float
        Share of paths on which it comes within them.
    """

    month: pd.Timestamp | None
    low: pd.Timestamp | None
    high: pd.Timestamp | None
    chance: float

    def entry(self) -> dict[str, str | float | None]:
        """Return it as plain values: months as "2027-03"."""
        months = {"month": self.month, "low": self.low, "high": self.high}
        told = {name: None if at is None else f"{at:%Y-%m}" for name, at in months.items()}
        return {**told, "chance": round(self.chance, 4)}


def target_met(within: FloatArray, *, share: float, months: pd.DatetimeIndex, by: int) -> When:
    """Say when a target is met to stay: the first month from which it holds until the target's month at least.

    After that month, three months in a row count, or the last ones.

    Parameters
    ----------
    within : ndarray (M, P)
        % of those waiting who have waited less than the target.
    share : float
        That is aimed for.
    months : DatetimeIndex (M,)
    by : int
        Position of the target's month.
    """
    met = within >= 100 * share
    last = len(months) - 1
    ends = [min(max(by, first + IN_A_ROW - 1), last) for first in range(len(months))]
    lasting = np.stack([met[first : end + 1].all(axis=0) for first, end in enumerate(ends)])
    return _when(np.where(lasting.any(axis=0), lasting.argmax(axis=0), np.inf), months)


def stops_growing(waiting: FloatArray, *, opening: float, months: pd.DatetimeIndex) -> When:
    """Say from when the list is never again as long: the month in which it is longest, if not among the last three.

    Parameters
    ----------
    waiting : ndarray (M, P)
    opening : float
        Children waiting before the first month: a list that is never longer has stopped in the first.
    months : DatetimeIndex (M,)
    """
    longest = len(months) - 1 - waiting[::-1].argmax(axis=0)
    at = np.where(waiting.max(axis=0) <= opening, 0, longest).astype(np.float64)
    return _when(np.where(at > len(months) - 1 - IN_A_ROW, np.inf, at), months)


def middle(values: FloatArray, *, digits: int = 2) -> dict[str, float | None]:
    """Return the median and the 80 % range of paths as plain values; None where it is not finite."""
    found = (_between(values, q) for q in (0.5, LOW, HIGH))
    return dict(zip(("median", "low", "high"), (_plain(value, digits) for value in found), strict=True))


def _when(at: FloatArray, months: pd.DatetimeIndex) -> When:
    rising = np.sort(at)
    found = [_at(rising, q) for q in (0.5, LOW, HIGH)]
    month, low, high = (months[int(k)] if np.isfinite(k) else None for k in found)
    return When(month, low, high, float(np.isfinite(at).mean()))


def _at(rising: FloatArray, q: float) -> float:
    """Quantile of sorted values that may end in infinite ones: one of them, never between two."""
    return float(rising[min(int(q * len(rising)), len(rising) - 1)])


def _between(values: FloatArray, q: float) -> float:
    """Quantile, between two neighbours as in tables; infinite where one of them is."""
    rising = np.sort(values)
    at = q * (len(rising) - 1)
    low, high = rising[int(np.floor(at))], rising[int(np.ceil(at))]
    return float(low + (high - low) * (at - np.floor(at))) if np.isfinite(high) else float(high)


def _plain(value: float, digits: int) -> float | None:
    return round(value, digits) if np.isfinite(value) else None
