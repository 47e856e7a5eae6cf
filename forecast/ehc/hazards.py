"""Rates that move the caseload from one January to the next: ceasing by age, moves between areas, and the rest.

Ceasing is fitted for the nation on three sets of figures: plans ceased by age, the January stock by single age, and the
stock by age band two Januaries before (from which the stock by age a year before is estimated). The published figures
do not balance: the caseload grows by more than new plans less ceased ones. Most of the difference is children who move:
they count as ceased where they leave and as nothing where they arrive. The rest stays as a residual.

What an area adds to the nation was measured on the bundled figures. How long it keeps plans open past school lasts: it
shows in the ages of its stock (`OLD_KEPT`). Its published level of ceasing repeats itself in part (rank correlation
0.34, 2022 to 2023), but its residual does not (-0.02), and neither does its net loss, new plans less growth of the
caseload (0.07; the nation's was 4.6 to 5.0 % of the stock in every year from 2018 on; `experiments.ehc_hindcast`). So
an area keeps part of its own level of ceasing, and its residual makes up for it. The residual of England is carried on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.special import expit, logit

from forecast.ehc import ages
from forecast.ehc.figures import Figures
from forecast.ehc.stock import age_shares, caseload_total, earlier_stock, national_stock
from forecast.errors import InputError
from forecast.panel import FloatArray

AGES = len(ages.STOCK_AGES)
PHASE_ENDS = (16, 17, 18, 23, 24)
"""Opening ages at which the hazard may jump: Years 12 to 14 are left, and the last two years before 26."""
SMOOTH, JUMP = 0.12, 1.0
"""Standard deviation of the bend of the logit hazard from age to age, elsewhere and at `PHASE_ENDS`."""
FLOW_ERROR, STOCK_ERROR = 0.02, 0.05
"""Relative error granted to ceased plans by age and to the estimated stock by age."""
OLD = 19
"""From this age on the stock by age itself tells the hazard: hardly anybody arrives, and ceased plans are not split."""
OWN_LEVEL = 0.34
"""Share of an area's level of ceasing that a single year tells: rank correlation of 2022 and 2023."""
LEVEL_PRIOR = 10.0
"""Ceased plans' worth of prior on an area's level."""
LEVEL_BOUNDS = (0.4, 2.5)
OLD_FROM, OLD_KEPT, OLD_PRIOR, OLD_BOUND = 17, 0.5, 5.0, 1.5
"""Opening ages from 17 cease faster where fewer are left: by the ratio of plans at 20 to 25 to those at 16 to 19, the
nation's being 1, to the power -0.5 (with 5 plans' worth of prior). With it the account of areas with their true new
plans misses by some 0.1 points less, one to five years ahead (`experiments.ehc_hindcast`)."""
OWN_NOISE, SHARED_NOISE = 0.031, 0.0025
"""Standard deviation of a year's net loss, as a share of the stock: of an area around the nation (new every year), and
of the nation; flows of 2018 to 2023, rounded."""
RESIDUAL_AGES = (np.arange(AGES) < 18).astype(float)
"""Opening ages the residual falls on, in proportion to the stock: from the bands of January 2022 to the ages of January
2024 the account is short below 16 and long at 20 and over."""
MODELLED = (
    "Ceasing by age, children who move in, and what the published figures leave open are modelled with England's rates."
)
RESIDUAL_YEARS = 2
"""Latest years the forward residual is the mean of; earlier returns were counted in another way."""


@dataclass(frozen=True, eq=False)
class AreaCohort:
    """Where the cohort of an area starts and how it moves.

    Attributes
    ----------
    opening : ndarray (26,)
        Latest January stock by age at 31 August before.
    hazards : ndarray (26,)
        Share of those exposed at an opening age (`exposed`) who cease in the year; all of 25.
    transfers : ndarray (26,)
        Children who move in, for each child exposed at an opening age; they are a year older in the next January.
    residual : ndarray (26,)
        Children added without a record, for each child of the opening stock at an age; may be negative.
    cease_level : float
        Ceasing of the area against the nation at the same ages, shrunk to 1.
    notes : tuple of str
        What is modelled or filled in.
    """

    opening: FloatArray
    hazards: FloatArray
    transfers: FloatArray
    residual: FloatArray
    cease_level: float
    notes: tuple[str, ...]

    def residual_paths(self, *, own: FloatArray, shared: FloatArray) -> FloatArray:
        """Let the residual vary from year to year, as it did: (P, Y, 26).

        Parameters
        ----------
        own, shared : ndarray (P, Y)
            Draws of a standard normal: the area's own, and those all areas share.
        """
        noise = OWN_NOISE * own + SHARED_NOISE * shared
        return np.asarray(self.residual + noise[:, :, None] * RESIDUAL_AGES)


@dataclass(frozen=True, eq=False)
class CohortRates:
    """Rates of the nation, and what an area makes of them: `of`.

    Attributes
    ----------
    figures : Figures
    stock, new_plans : ndarray (26,)
        Of England in the year the rates were measured: January stock by age (estimated), new plans by age at 31 August.
    hazards : ndarray (26,)
    moves : ndarray (26,)
        Children who move to another area, for each child exposed at an opening age.
    residual : float
        What is left of the residual after moves, for each child of `RESIDUAL_AGES` of the opening stock.
    """

    figures: Figures
    stock: FloatArray
    new_plans: FloatArray
    hazards: FloatArray
    moves: FloatArray
    residual: float

    def of(self, code: str) -> AreaCohort:
        """Return the rates and the opening stock of an area.

        Raises
        ------
        InputError
            If no caseload of the area is known.
        """
        total, notes = caseload_total(self.figures, code)
        row = self.figures.row(code)
        shares, whose = self._shares[0][row], self._shares[1][row]
        opening = total * shares
        if whose:
            notes = (*notes, f"The caseload by age is not published: the ages are those {whose}.")
        notes = (*notes, MODELLED)
        base, level = self._base[row], float(self._levels[row])
        hazards = 1 - (1 - base) ** level
        transfers = np.minimum(self.moves * level, hazards)
        excess = (hazards - transfers) - (base - np.minimum(self.moves, base))
        lost = float(excess[:-1] @ opening[:-1]) / max(float(opening @ RESIDUAL_AGES), 1e-9)
        residual = (self.residual + lost) * RESIDUAL_AGES
        return AreaCohort(opening, hazards, transfers, residual, level, notes)

    def new_on_stock_ages(self, issued: FloatArray, *, lag: float = ages.NATIONAL_LAG) -> FloatArray:
        """Bring plans issued, by age at request, to age at 31 August of the year of issue.

        Parameters
        ----------
        issued : ndarray (..., 19)
        lag : float
            Years from request to plan, on average.

        Returns
        -------
        ndarray (..., 26)
            Same totals.
        """
        return np.asarray(issued @ ages.conversion(profile=self.new_plans, likelihood=ages.stock_to_request(lag)))

    @cached_property
    def _base(self) -> FloatArray:
        """Hazards of every area (areas, 26) before its level: those of the old by how many it has kept so far."""
        latest = self.figures.of("caseload").ffill(axis=1).iloc[:, -1].fillna(0.0).to_numpy(dtype=float)
        stock = self._shares[0] * latest[:, None]
        (first, last), (old_first, old_last) = ages.BANDS["16-19"], ages.BANDS["20-25"]
        young, old = stock[:, first : last + 1].sum(axis=1), stock[:, old_first : old_last + 1].sum(axis=1)
        apart = np.log((old + OLD_PRIOR) / (young + OLD_PRIOR)) - np.log(old.sum() / young.sum())
        level = np.exp(-OLD_KEPT * np.clip(apart, -OLD_BOUND, OLD_BOUND))
        top = np.arange(AGES) >= OLD_FROM
        for _ in range(3):
            hazards = np.where(top, 1 - (1 - self.hazards) ** level[:, None], self.hazards)
            level *= (stock * self.hazards)[:, top].sum() / (stock * hazards)[:, top].sum()
        return hazards

    @cached_property
    def _levels(self) -> FloatArray:
        """Ceasing of every area (areas,) against the nation at the same ages, shrunk to 1."""
        stock, ceased = self.figures.of("caseload"), self.figures.of("ceased")
        years = [year for year in ceased.columns[-RESIDUAL_YEARS:] if year in stock.columns]
        with_new = float(self.hazards @ exposed(self.stock, self.new_plans) / (self.hazards @ self.stock))
        rates = (self._shares[0] * self._base).sum(axis=1) * with_new
        held, left = stock[years].to_numpy(dtype=float), ceased[years].to_numpy(dtype=float)
        expected = np.where(np.isfinite(left) & np.isfinite(held), held * rates[:, None], 0.0)
        known, counted = (expected > 0).sum(axis=1), np.maximum(expected.sum(axis=1), 1e-9)
        own = np.clip(np.where(expected > 0, left, 0.0).sum(axis=1) / counted, *LEVEL_BOUNDS)
        weight = known * OWN_LEVEL / (1 + (known - 1) * OWN_LEVEL) * counted / (counted + LEVEL_PRIOR)
        return np.asarray(np.where(known > 0, 1 + weight * (own - 1), 1.0))

    @cached_property
    def _shares(self) -> tuple[FloatArray, tuple[str, ...]]:
        return age_shares(self.figures)


def fitted_cohort(figures: Figures) -> CohortRates:
    """Fit the rates of the nation.

    Raises
    ------
    InputError
        If the figures hold no caseload or no ceased plans by single age (first published for January 2024 and 2023).
    """
    to_event = ages.stock_to_event()
    closing = national_stock(figures)
    opening = earlier_stock(figures, closing)
    ceased, moved = _national_flow(figures, "ceased"), _national_flow(figures, "ceased", cause="moved_la")
    profile = ages.unfolded(_national_flow(figures, "new_plans"), to_event[:AGES])
    arrivals = ages.unfolded(moved, to_event)[:AGES]
    rest = np.append(0.0, (opening * RESIDUAL_AGES)[:-1]) / (opening @ RESIDUAL_AGES)
    rest *= closing.sum() - opening.sum() - profile.sum() + ceased.sum() - moved.sum()
    at_risk = exposed(opening, profile)
    hazards = _fitted_hazards(at_risk, opening + shifted(profile + arrivals + rest), closing=closing, ceased=ceased)
    leavers = np.append(0.0, hazards * at_risk)
    moves = (moved @ ages.conversion(profile=leavers, likelihood=to_event))[1:] / at_risk
    moves = np.minimum(moves, hazards) * (np.arange(AGES) < AGES - 1)
    return CohortRates(
        figures=figures,
        stock=opening,
        new_plans=profile,
        hazards=hazards,
        moves=moves * moved.sum() / (moves @ at_risk),
        residual=_unexplained(figures) * opening.sum() / (opening @ RESIDUAL_AGES),
    )


def exposed(opening: FloatArray, new: FloatArray) -> FloatArray:
    """Count those who may cease, by opening age (..., 26): the opening stock and half of the year's new plans."""
    return np.asarray(opening + shifted(new) / 2)


def shifted(closing: FloatArray) -> FloatArray:
    """Move counts by age at the end of a year (..., 26) to the age in the January before; none comes at 25."""
    return np.concatenate([closing[..., 1:], np.zeros_like(closing[..., :1])], axis=-1)


def published_residuals(figures: Figures) -> pd.DataFrame:
    """Compute what the published stock-flow leaves open: growth of the caseload less (new - ceased).

    Returns
    -------
    DataFrame
        Index area code, columns calendar years of the flows; NaN where a figure is missing.
    """
    stock, new, ceased = (figures.of(measure) for measure in ("caseload", "new_plans", "ceased"))
    closing = stock.rename(columns=lambda january: january - 1)
    return (closing - stock - new + ceased).reindex(columns=ceased.columns).dropna(axis=1, how="all")


def national_residuals(figures: Figures) -> pd.Series:
    """Compute `published_residuals` of England from its own published totals."""
    stock, new, ceased = (figures.national[measure] for measure in ("caseload", "new_plans", "ceased"))
    return (stock.rename(lambda january: january - 1) - stock - new + ceased).dropna()


def _national_flow(figures: Figures, measure: str, *, cause: str = "") -> FloatArray:
    """Latest flow of England by published age (19,), at the published total of its cause."""
    year = figures.last_flow
    rows = figures.breakdowns
    rows = rows[rows["measure"].eq(measure) & rows["geographic_level"].eq("national") & rows["ds"].dt.year.eq(year)]
    by_age = rows[rows["cause"].eq(cause) & rows["need"].eq("") & rows["placement"].eq("")].set_index("age")["y"]
    counts = by_age.reindex(list(ages.REQUEST_AGES)).to_numpy(dtype=float)
    if not np.isfinite(counts).all():
        raise InputError(
            f"{measure} of England by age, {year}: not known; the cohort needs them (first published for 2023, known "
            "from mid-2024). Choose a later as-of date."
        )
    total = by_age.get("") if cause else figures.national[measure].get(year)
    return counts if total is None or not np.isfinite(total) else np.asarray(counts * float(total) / counts.sum())


def _fitted_hazards(at_risk: FloatArray, held: FloatArray, *, closing: FloatArray, ceased: FloatArray) -> FloatArray:
    """Fit a smooth hazard by opening age to ceased plans by age, and at the top to what the stock by age lost.

    `held` is what the stock would be if nobody ceased, by opening age.
    """
    to_event = ages.stock_to_event()[1:]
    event_error = np.sqrt(ceased + 1) + FLOW_ERROR * ceased
    old = np.arange(OLD - 1, AGES - 1)
    stock_error = np.sqrt(closing[old + 1] + 1) + STOCK_ERROR * closing[old + 1]
    bend = np.full(AGES - 3, SMOOTH)
    bend[[age - 1 for age in PHASE_ENDS if age - 1 < len(bend)]] = JUMP

    def misfit(logits: FloatArray) -> FloatArray:
        hazards = np.append(expit(logits), 1.0)
        lost = hazards * at_risk
        parts = [
            (lost @ to_event - ceased) / event_error,
            ((held - lost)[old] - closing[old + 1]) / stock_error,
            np.diff(logits, 2) / bend,
        ]
        return np.concatenate(parts)

    start = logit(np.interp(np.arange(AGES - 1), [0, 15, 17, 19, 24], [0.02, 0.03, 0.15, 0.28, 0.7]))
    return np.append(expit(least_squares(misfit, start).x), 1.0)


def _unexplained(figures: Figures) -> float:
    """Take moved children out of England's residual, for each child of the stock; mean of the latest years.

    The account ahead counts plans issued (`assessments_issued`), which are 2 or 3 % more than the published new plans
    that `national_residuals` counts; that difference is taken out too.
    """
    rows = figures.breakdowns
    rows = rows[rows["measure"].eq("ceased") & rows["geographic_level"].eq("national") & rows["cause"].eq("moved_la")]
    rows = rows[rows["age"].eq("")]
    moved = pd.Series(rows["y"].to_numpy(dtype=float), index=rows["ds"].dt.year.to_numpy())
    new = figures.national["new_plans"]
    more = figures.national.get("assessments_issued", new) - new
    rest = (national_residuals(figures) - moved - more).dropna().tail(RESIDUAL_YEARS)
    return float((rest / figures.national["caseload"].reindex(rest.index)).mean())
