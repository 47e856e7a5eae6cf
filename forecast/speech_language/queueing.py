"""Rules of thumb for a waiting list: what list and what capacity go with a target wait.

Formulas as in the NHSRwaitinglist project: a first look before a list is run on paths, and the words in which services
talk about demand and capacity. A target wait is met by nearly all where the mean wait is a quarter of it, because in a
queue without priorities waits fall off about exponentially: 98 % are below four times the mean.

For 20 referrals a week and a target of 18 weeks:

>>> target_mean_wait(18), target_queue(20, target_weeks=18), round(target_capacity(20, target_weeks=18), 2)
(4.5, 90.0, 20.22)
>>> round(relief_capacity(20, queue=270, target_queue=90), 2)
26.92
"""

from __future__ import annotations

from math import isfinite

from forecast.errors import SpecError

OF_TARGET = 4  # target wait over mean wait
RELIEF_WEEKS = 26
RELIEF_FROM = 2  # times the target queue


def load(demand: float, *, capacity: float) -> float:
    """Return referrals over first contacts, both a week: above 1 the list grows without end.

    Raises
    ------
    SpecError
        A negative demand, a capacity that is not above zero.

    Examples
    --------
    >>> load(20, capacity=16)
    1.25
    """
    _check("demand", demand)
    _check("capacity", capacity, above_zero=True)
    return demand / capacity


def target_mean_wait(target_weeks: float) -> float:
    """Return the mean wait, in weeks, with which nearly all are seen within the target.

    Raises
    ------
    SpecError
        A target that is not above zero.
    """
    _check("target_weeks", target_weeks, above_zero=True)
    return target_weeks / OF_TARGET


def target_queue(demand: float, *, target_weeks: float) -> float:
    """Return the list, in children, that goes with the target: those referred in the mean wait.

    Raises
    ------
    SpecError
        A negative demand, a target that is not above zero.
    """
    _check("demand", demand)
    return demand * target_mean_wait(target_weeks)


def target_capacity(demand: float, *, target_weeks: float, cv_demand: float = 1.0, cv_capacity: float = 1.0) -> float:
    """Return the first contacts a week that keep a list at its target once it is there.

    Parameters
    ----------
    demand : float
        Referrals a week.
    target_weeks : float
    cv_demand, cv_capacity : float
        Coefficients of variation of the time from one referral, and one first contact, to the next. 1 is pure chance,
        0 a fixed rhythm. The usual worked example (20 a week, 18 weeks, 20.22) holds where their squares have the mean
        1, as both do by default.

    Raises
    ------
    SpecError
        A negative demand or coefficient, a target that is not above zero.
    """
    _check("demand", demand)
    _check("cv_demand", cv_demand)
    _check("cv_capacity", cv_capacity)
    return demand + (cv_demand**2 + cv_capacity**2) / 2 / target_mean_wait(target_weeks)


def relief_capacity(demand: float, *, queue: float, target_queue: float, weeks: float = RELIEF_WEEKS) -> float | None:
    """Return the first contacts a week that bring a list down to its target in some weeks.

    Returns
    -------
    float or None
        None where the list is at most twice the target: relief is for lists above that.

    Raises
    ------
    SpecError
        A negative demand or queue, weeks that are not above zero.
    """
    _check("demand", demand)
    _check("queue", queue)
    _check("target_queue", target_queue)
    _check("weeks", weeks, above_zero=True)
    if queue <= RELIEF_FROM * target_queue:
        return None
    return demand + (queue - target_queue) / weeks


def _check(name: str, value: float, *, above_zero: bool = False) -> None:
    if not isfinite(value) or value < 0 or (above_zero and value == 0):
        rule = "above zero" if above_zero else "from zero up"
        raise SpecError(f"{name} {value!r}: a number {rule} is needed. Give such a number.")
