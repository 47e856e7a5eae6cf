"""Auto: a combination whose weights come from rolling origins, shrunk to equal.

Annual and seasonal series have their own members and their own rule: `annual_weights`, `seasonal_weights`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecast.annual_weights import annual_weights
from forecast.evaluate.origins import RollingPoints
from forecast.models.base import Model
from forecast.panel import FloatArray, IntArray
from forecast.seasonal_weights import (
    FIRST_YEAR_MEMBERS,
    LONG_MEMBERS,
    SECOND_YEAR_MEMBERS,
    SPARSE_MEMBER,
    kinds_of_series,
    prior_weights,
    seasonal_weights,
)

ANNUAL_MEMBERS = ("naive", "drift", "area_growth", "theta_classical", "damped_trend")
SEASONAL_MEMBERS = tuple(dict.fromkeys((*LONG_MEMBERS, *FIRST_YEAR_MEMBERS, *SECOND_YEAR_MEMBERS, SPARSE_MEMBER)))
MOST_NAMED = 5
SAME_SHARE = 0.005


@dataclass(frozen=True)
class Combination:
    """Combined points at every origin.

    Attributes
    ----------
    points : ndarray (K, n, h)
    calibrating : ndarray (K, n, h)
        Points whose errors are out of sample at every origin: of seasonal series, those before weights.
    weights : ndarray (members, n, h)
        Weights at the last origin; they add up to 1 where a member answered.
    members : tuple of str
    origins : ndarray of int (n,)
        Past origins the last weights rest on.
    prior : bool
        A stated prior stands in for origins that are not there yet; else weights without origins are equal.
    kinds : tuple of str, length n
        What made a series' members other than the usual ones, "" if nothing did.
    """

    points: FloatArray
    calibrating: FloatArray
    weights: FloatArray
    members: tuple[str, ...]
    origins: IntArray
    prior: bool = False
    kinds: tuple[str, ...] = ()

    def reasons(self) -> list[str]:
        """Say in words where each series' weights come from; "" when no member answered."""
        first, last = self.weights[:, :, 0], self.weights[:, :, -1]
        counts, most = (first > 0).sum(axis=0).tolist(), first.argmax(axis=0).tolist()
        largest, moved = first.max(axis=0).tolist(), np.abs(first - last).max(axis=0).tolist()
        kinds = [f"; {kind}" if kind else "" for kind in self.kinds] or [""] * len(counts)
        texts = []
        for row, (count, known) in enumerate(zip(counts, self.origins.tolist(), strict=True)):
            if count > MOST_NAMED:
                shares = f"{count} members, the most {self.members[most[row]]} {largest[row]:.2f}"
                texts.append(f"{shares}; {self._evidence(known)}{kinds[row]}")
            elif count:
                changed = "" if moved[row] < SAME_SHARE else f"; at the last horizon {self._shares(last[:, row])}"
                texts.append(f"{self._shares(first[:, row])}; {self._evidence(known)}{changed}{kinds[row]}")
            else:
                texts.append("")
        return texts

    def _evidence(self, known: int) -> str:
        measured = f"weights from {known} past origin{'s' * (known != 1)}"
        if self.prior:
            return f"{measured} and the prior" if known else "weights from the prior"
        return measured if known else "equal weights"

    def _shares(self, weights: FloatArray) -> str:
        order = np.argsort(-weights, kind="stable")
        return ", ".join(f"{self.members[m]} {weights[m]:.2f}" for m in order if weights[m] > 0)


def default_members(period: int) -> tuple[str, ...]:
    """Names of the members of `auto` for a season length."""
    return ANNUAL_MEMBERS if period == 1 else SEASONAL_MEMBERS


def combine(rolling: RollingPoints, members: Mapping[str, Model], *, equal: bool = False) -> Combination:
    """Combine the points of members at every origin, using outturn known at that origin only.

    Parameters
    ----------
    rolling : RollingPoints
        Holds the points of every member.
    members : mapping of name to Model
    equal : bool, default False
        True: equal weights, for a list of models given by hand.

    Returns
    -------
    Combination
    """
    names = tuple(members)
    window = rolling.window
    none = np.zeros(len(window.ids), dtype=np.int64)
    if equal:
        given = np.full((len(names), len(window.ids), 1), 1 / len(names))
        return _combined(rolling, names, lambda k: (given, none))
    if window.period == 1:
        weights, origins = annual_weights(rolling, members)
        return _combined(rolling, names, lambda k: (weights[:, k], origins), prior=True)
    made = _combined(rolling, names, lambda k: seasonal_weights(rolling, names, k))
    unweighted = [
        _average(_answers(rolling, names, k), prior_weights(seen, names)) for k, seen in enumerate(rolling.usable)
    ]
    return replace(made, calibrating=np.stack(unweighted), kinds=tuple(kinds_of_series(rolling.usable[-1])))


def _combined(
    rolling: RollingPoints,
    names: tuple[str, ...],
    weights_at: Callable[[int], tuple[FloatArray, IntArray]],
    *,
    prior: bool = False,
) -> Combination:
    """Average the members that answered, at the k-th origin by weights (members, n, h or 1)."""
    points = np.empty(rolling.points[names[0]].shape)
    for k in range(len(points)):
        weights, origins = weights_at(k)
        points[k] = _average(_answers(rolling, names, k), weights)
    return Combination(points, points, _taken(_answers(rolling, names, -1), weights), names, origins, prior)


def _answers(rolling: RollingPoints, names: Sequence[str], k: int) -> list[FloatArray]:
    return [rolling.points[name][k] for name in names]


def _average(answers: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    """Return the weighted mean of the answers that are there (n, h)."""
    total, combined = np.zeros(answers[0].shape), np.zeros(answers[0].shape)
    for answer, weight in zip(answers, weights, strict=True):
        there = np.isfinite(answer)
        total += np.where(there, weight, 0.0)
        combined += np.where(there, weight * answer, 0.0)
    return np.divide(combined, total, out=np.full_like(total, np.nan), where=total > 0)


def _taken(answers: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    """Return the weights that answers take, those of missing ones shared out (members, n, h)."""
    taken: FloatArray = np.where(np.isfinite(answers), weights, 0.0)
    total = taken.sum(axis=0)
    np.divide(taken, total, out=taken, where=total > 0)
    return taken
