"""Treatment after the first contact: who is in it, who starts and ends, and the contacts they bring.

Treatment ends at one rate whatever its length so far, 1 / mean length a week: half of an intake has ended after 0.69 of
the mean length, one in seven after twice that length has not. Within a month starts are spread evenly and the flow is
solved exactly. While in treatment a child has contacts at an even pace, contacts_per_episode in all on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.errors import SpecError
from forecast.panel import FloatArray

LEAST_WEEKS = 0.1
"""Shortest mean length of treatment, and shortest month."""


@dataclass(frozen=True, eq=False)
class TreatmentRun:
    """Children in treatment, month by month, on every path.

    Attributes
    ----------
    stock : ndarray (C, M, P)
        Children in treatment at the end of the month.
    started, ended : ndarray (C, M, P)
        Children who begin treatment, and who are discharged from it, in the month.
    contacts : ndarray (C, M, P)
        Treatment contacts of the month.
    """

    stock: FloatArray
    started: FloatArray
    ended: FloatArray
    contacts: FloatArray


def treat(
    seen: FloatArray,
    *,
    treated_share: FloatArray,
    episode_weeks: FloatArray,
    contacts_per_episode: FloatArray,
    opening: FloatArray,
    weeks_in_month: FloatArray,
) -> TreatmentRun:
    """Carry children from their first contact through treatment.

    Parameters
    ----------
    seen : ndarray (C, M, P)
        Children who have their first contact in the month.
    treated_share : ndarray (C,)
        Share of them who go on to treatment, 0 to 1; they begin at once.
    episode_weeks : ndarray (C,)
        Mean weeks from start to discharge, 0.1 or more.
    contacts_per_episode : ndarray (C,)
    opening : ndarray (C,)
        Children in treatment before the first month.
    weeks_in_month : ndarray (M,)
        Weeks of each month.

    Returns
    -------
    TreatmentRun
        stock = stock before + started - ended in every month, on every path.

    Raises
    ------
    SpecError
        Arrays do not fit, or a share, length or number cannot be.

    Notes
    -----
    With s starts a week and discharge rate m, the stock N follows N' = s - m N; over T weeks
    N(T) = N(0) exp(-m T) + s (1 - exp(-m T)) / m. The contacts of a month are the pace, contacts_per_episode x m, times
    the integral of N, and m times that integral is the number discharged: contacts = contacts_per_episode x ended.
    A child in treatment at the start has a whole episode of contacts still to come on average, however long it has
    lasted, because the end does not depend on that.
    """
    cells, months, paths = seen.shape
    _check(seen, "children seen", seen.shape)
    _check(treated_share, "treated_share", (cells,), high=1.0)
    _check(episode_weeks, "episode_weeks", (cells,), low=LEAST_WEEKS)
    _check(contacts_per_episode, "contacts_per_episode", (cells,))
    _check(opening, "children in treatment at the start", (cells,))
    _check(weeks_in_month, "weeks in a month", (months,), low=LEAST_WEEKS)
    started = seen * treated_share[:, None, None]
    spans = weeks_in_month[None, :] / episode_weeks[:, None]
    ends = -np.expm1(-spans)
    ends_of_starts = 1.0 - ends / spans
    stock, ended = np.empty_like(started), np.empty_like(started)
    before = np.repeat(opening.astype(np.float64)[:, None], paths, axis=1)
    for month in range(months):
        ended[:, month] = before * ends[:, month, None] + started[:, month] * ends_of_starts[:, month, None]
        before = before + started[:, month] - ended[:, month]
        stock[:, month] = before
    return TreatmentRun(stock, started, ended, ended * contacts_per_episode[:, None, None])


def steady_opening(rate_a_week: FloatArray, *, treated_share: FloatArray, episode_weeks: FloatArray) -> FloatArray:
    """Return the children in treatment when as many end as start.

    Parameters
    ----------
    rate_a_week : ndarray (C,)
        Children who have their first contact a week.
    treated_share, episode_weeks : ndarray (C,)

    Returns
    -------
    ndarray (C,)
        Starts a week times mean weeks (Little's law).

    Examples
    --------
    >>> steady_opening(np.array([10.0]), treated_share=np.array([0.5]), episode_weeks=np.array([26.0])).tolist()
    [130.0]
    """
    return np.asarray(rate_a_week * treated_share * episode_weeks)


def _check(figures: FloatArray, what: str, shape: tuple[int, ...], *, low: float = 0.0, high: float = np.inf) -> None:
    """Refuse figures of another shape, below `low`, above `high`, or that are none."""
    if figures.shape != shape:
        raise SpecError(f"treatment: {what} of shape {figures.shape}, where {shape} is needed. Give one for each.")
    fine = (figures >= low) & (figures <= high) & np.isfinite(figures)
    if not fine.all():
        most = f" and at most {high:g}" if high < np.inf else ""
        raise SpecError(f"treatment: {what} is {figures[~fine][0]:g}; {low:g} or more{most} is needed. Correct it.")
