"""The caseload as a cohort: every January the stock is a year older, new plans come in, plans cease, children move.

On every path and at every age, with c the age at 31 August of the year:

    stock[y + 1][c] = stock[y][c - 1] - ceased[y][c - 1]
                      + new[y][c] + transfers[y][c] + residual[y][c] + adjustment[y][c]

Ceased plans are told by age in the opening January, what comes in by age in the closing one. Plans that are new may
cease in the same year, at half the rate; all plans held at 25 end. Nothing falls below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from forecast.ehc.hazards import exposed
from forecast.panel import FloatArray

TOPDOWN_WEIGHT = 0.75
"""Share of the top-down forecast in the reconciled caseload, on the log scale.

At origins 2018 to 2023, with new plans following the requests forecast and the hazards of 2023, the cohort alone
missed areas by 3.4, 5.4, 7.7, 9.7 and 11.6 % one to five years ahead, the top-down forecast by 3.3, 5.1, 6.7, 8.3 and
9.7 %, and 0.75 of it by 3.2, 5.0, 6.7, 8.2 and 9.6 %. Given the true new plans the cohort missed by 2.4 % and 4.3 % at
one and five years: what it lacks is the number of new plans, and the weight goes to what knows it better
(`python -m experiments.ehc_hindcast`).
"""


PHASES: Mapping[str, int] = MappingProxyType({"into school": 3, "primary to secondary": 10, "into post-16": 15})
"""Moves whose plans have a fixed day, in the year of the move (SEND Regulations 2014, regulation 18), and the age at
31 August before of the children who make them.

Infant to junior school is left out: how many children change school at 7 is not published.
"""


@dataclass(frozen=True, eq=False)
class CohortFlows:
    """Stocks and flows on every path.

    Attributes
    ----------
    stock : ndarray (P, Y + 1, 26)
        By age at 31 August before; the first January is the opening stock.
    ceased : ndarray (P, Y, 26)
        By age in the opening January.
    new, transfers, residual, adjustment : ndarray (P, Y, 26)
        By age in the closing January.
    """

    stock: FloatArray
    new: FloatArray
    ceased: FloatArray
    transfers: FloatArray
    residual: FloatArray
    adjustment: FloatArray

    @property
    def caseload(self) -> FloatArray:
        """Plans in each January: (P, Y + 1)."""
        return np.asarray(self.stock.sum(axis=2))


def run_cohort(
    opening: FloatArray,
    *,
    new: FloatArray,
    hazards: FloatArray,
    transfers: FloatArray,
    residual: FloatArray,
    adjustment: FloatArray | None = None,
    target: FloatArray | None = None,
) -> CohortFlows:
    """Carry a stock forward from January to January.

    Parameters
    ----------
    opening : ndarray (26,)
    new : ndarray (P, Y, 26)
        New plans by age at 31 August of the year.
    hazards, transfers, residual : ndarray (26,), (Y, 26) or (P, Y, 26)
        Rates by opening age, as in `hazards.AreaCohort`; a hazard above 1 counts as 1.
    adjustment : ndarray (P, Y, 26), optional
        Children added (or taken) in a year by age in the closing January; never more taken than there are.
    target : ndarray (P, Y), optional
        Caseload to end each year with: the adjustment is what leads there, in proportion to the stock by age.

    Returns
    -------
    CohortFlows
    """
    paths, years, ages = new.shape
    shape = (paths, years, ages)
    hazards, transfers, residual = (np.broadcast_to(rate, shape) for rate in (hazards, transfers, residual))
    stock = np.empty((paths, years + 1, ages))
    stock[:, 0] = opening
    ceased, moved, rest, adjusted = (np.zeros(shape) for _ in range(4))
    for year in range(years):
        held, added = stock[:, year], new[:, year]
        at_risk = exposed(held, added)
        hazard = np.minimum(hazards[:, year], 1.0)
        ceased[:, year] = hazard * at_risk
        ceased[:, year, -1] = held[:, -1]
        moved[:, year] = _older(transfers[:, year] * at_risk)
        left = _older(held - ceased[:, year]) + added + moved[:, year]
        rest[:, year] = np.maximum(_older(residual[:, year] * held), -left)
        left = left + rest[:, year]
        if target is not None:
            total = left.sum(axis=1)
            share = np.divide(left, total[:, None], out=np.zeros_like(left), where=total[:, None] > 0)
            adjusted[:, year] = np.maximum(target[:, year] - total, -total)[:, None] * share
        elif adjustment is not None:
            adjusted[:, year] = np.maximum(adjustment[:, year], -left)
        stock[:, year + 1] = np.maximum(left + adjusted[:, year], 0.0)
    return CohortFlows(stock, new, ceased, moved, rest, adjusted)


def reconciled(
    opening: FloatArray,
    *,
    new: FloatArray,
    hazards: FloatArray,
    transfers: FloatArray,
    residual: FloatArray,
    topdown: FloatArray,
    weight: float = TOPDOWN_WEIGHT,
) -> CohortFlows:
    """Carry a stock forward and lead it, path by path, to a mean of the cohort and a top-down forecast.

    The mean is taken on the log scale. What has to be added to get there is the adjustment: it is told, and put on
    ages in proportion to the stock.

    Parameters
    ----------
    opening, new, hazards, transfers, residual
        As in `run_cohort`.
    topdown : ndarray (P, Y)
        Caseload at the end of each year. Paths are taken as they come, path k with path k: both foretell the same
        caseload, so it is for the caller to see that high paths stand beside high ones, in all areas alike.
    weight : float
        0 leaves the cohort alone, 1 ends each year with the top-down caseload.
    """
    rates = {"new": new, "hazards": hazards, "transfers": transfers, "residual": residual}
    alone = run_cohort(opening, **rates).caseload[:, 1:]
    if weight == 0:
        return run_cohort(opening, **rates)
    target = np.where(alone > 0, alone ** (1 - weight) * np.maximum(topdown, 0.0) ** weight, alone)
    return run_cohort(opening, **rates, target=target)


def scaled_adjustment(baseline: CohortFlows, new: FloatArray) -> FloatArray:
    """Scale the adjustment of a baseline to other new plans, path by path and year by year.

    What the adjustment corrects is mostly the number of new plans: that is what the cohort lacks (`TOPDOWN_WEIGHT`).
    Where requests, refusals or a capacity change that number, the same correction is due on the new one: half the
    plans, half the adjustment. Kept whole it would go on adding children for plans that are no longer made.

    Parameters
    ----------
    baseline : CohortFlows
        As `reconciled` leaves it.
    new : ndarray (P, Y, 26)
        New plans by age with the change.

    Returns
    -------
    ndarray (P, Y, 26)
        The adjustment times new plans over those of the baseline, of all ages together; as it was in a year in which
        the baseline has none.
    """
    total, before = new.sum(axis=2), baseline.new.sum(axis=2)
    times = np.divide(total, before, out=np.ones_like(before), where=before > 0)
    return np.asarray(baseline.adjustment * times[:, :, None])


def annual_reviews(stock: FloatArray, ceased: FloatArray) -> FloatArray:
    """Count reviews due in each year: each plan of the January stock once, but for half of those that cease.

    New plans have their first review in the year after.

    Parameters
    ----------
    stock : ndarray (P, Y + 1, 26)
    ceased : ndarray (P, Y, 26)

    Returns
    -------
    ndarray (P, Y)
    """
    return np.asarray(np.maximum(stock[:, :-1] - ceased / 2, 0.0).sum(axis=2))


def phase_transfers(stock: FloatArray) -> dict[str, FloatArray]:
    """Count plans to be made final by the fixed day of each phase transfer, in the year of each January.

    Parameters
    ----------
    stock : ndarray (P, Y + 1, 26)

    Returns
    -------
    dict of name of `PHASES` to ndarray (P, Y + 1)
    """
    return {name: stock[..., age] for name, age in PHASES.items()}


def _older(values: FloatArray) -> FloatArray:
    """Move values (P, 26) by opening age to the closing age; what was 25 falls out."""
    return np.concatenate([np.zeros_like(values[:, :1]), values[:, :-1]], axis=1)
