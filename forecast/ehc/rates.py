"""Rates of the pipeline: how many requests are refused or withdrawn, and how many assessments lead to no plan.

The level is the area's own of the last three years, shrunk to England's as far as levels have proved not to last;
by age it follows England's profile. On the paths refusal and no plan wander about it as rates of areas do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from forecast.ehc.ages import REQUEST_AGES
from forecast.ehc.figures import Figures
from forecast.ehc.levels import PARTS, Wander, pool
from forecast.ehc.weeks import Weeks
from forecast.errors import SpecError
from forecast.panel import FloatArray

BoolArray = npt.NDArray[np.bool_]
Change = Callable[[str, FloatArray], FloatArray]

APPEALS_KNOWN = 100.0  # refusals of England's share added to an area's own appeals
MANY_OVERTURNED = 0.2  # said in a note above
SLACK = 1e-9
WORDS = {
    "refusal": "share of requests refused",
    "withdrawal": "share of requests withdrawn",
    "no_plan": "share of assessments without a plan",
}


@dataclass(frozen=True, eq=False)
class StageRates:
    """Rates of an area.

    Attributes
    ----------
    refusal, withdrawal : ndarray (ages,)
        Shares of decided requests, by age at the request.
    no_plan : ndarray (ages,)
        Share of completed assessments without a plan, among them those withdrawn.
    overturned : float
        Share of refusals that will be overturned: counted when they are decided, they join the assessment
        `flow.REJOIN` weeks later.
    wander : mapping
        "refusal" and "no_plan" to their Wander.
    notes : tuple of str
    """

    refusal: FloatArray
    withdrawal: FloatArray
    no_plan: FloatArray
    overturned: float
    wander: Mapping[str, Wander]
    notes: tuple[str, ...] = ()

    def by_week(self, weeks: Weeks, change: Change | None = None) -> WeeklyRates:
        """Lay the rates out by week, overridden where `change` says so.

        Parameters
        ----------
        weeks : Weeks
        change : callable, optional
            Takes a name ("refusal", "withdrawal", "no_plan", "overturned") and its rates (W, ages), or (W, 1) for
            "overturned", and returns them with overrides. It is also called with NaN: what is a figure then does
            not depend on the rate, and such a figure holds on every path exactly.

        Raises
        ------
        SpecError
            A share above 1, or more requests refused and withdrawn than there are, in any week and age.
        """
        change = change or (lambda _name, base: base)
        planned, fixed = {}, {}
        for name in ("refusal", "withdrawal", "no_plan", "overturned"):
            base = np.tile(np.atleast_1d(np.asarray(getattr(self, name), dtype=np.float64)), (len(weeks.year), 1))
            planned[name] = _shares(change(name, base), name, weeks)
            fixed[name] = np.isfinite(change(name, np.full_like(base, np.nan)))
        gone = planned["refusal"] + planned["withdrawal"]
        if (gone > 1 + SLACK).any():
            week, age = np.argwhere(gone > 1 + SLACK)[0]
            refused, withdrawn = (planned[name][week, age] for name in ("refusal", "withdrawal"))
            raise SpecError(
                f"refusal {refused:.1%} and withdrawal {withdrawn:.1%} of requests on {_when(weeks, week)}"
                f"{_whom(gone, age)}: together they cannot be above 100%. Lower one of the two."
            )
        return WeeklyRates(
            **{name: planned[name] for name in ("refusal", "withdrawal", "no_plan")},
            overturned=planned["overturned"][:, 0],
            fixed=np.stack([fixed[name] for name in ("refusal", "withdrawal", "no_plan")]),
            wander=self.wander,
        )


@dataclass(frozen=True, eq=False)
class WeeklyRates:
    """Rates in each week.

    Attributes
    ----------
    refusal, withdrawal, no_plan : ndarray (W, ages)
    overturned : ndarray (W,)
    fixed : ndarray of bool (3, W, ages)
        Where refusal, withdrawal and no_plan are the same on every path.
    wander : mapping
        As in StageRates.
    """

    refusal: FloatArray
    withdrawal: FloatArray
    no_plan: FloatArray
    overturned: FloatArray
    fixed: BoolArray
    wander: Mapping[str, Wander]

    def shifts(self, rng: np.random.Generator, n_paths: int, years: int) -> FloatArray:
        """Draw what each path adds to the logits of refusal, withdrawal and no plan (paths, 3, years)."""
        still = Wander(0.0, 0.0)
        names = ("refusal", "withdrawal", "no_plan")
        return np.stack([self.wander.get(name, still).draw(rng, n_paths, years) for name in names], axis=1)


def _shares(rates: FloatArray, name: str, weeks: Weeks) -> FloatArray:
    """Return rates (W, ages) as they are; refuse one above 1."""
    if (rates > 1 + SLACK).any():
        week, age = np.argwhere(rates > 1 + SLACK)[0]
        raise SpecError(
            f"{name} {rates[week, age]:.1%} on {_when(weeks, week)}{_whom(rates, age)}: a share cannot be above 100%. "
            "Multiply it by less, or give a value."
        )
    return np.minimum(rates, 1.0)


def _when(weeks: Weeks, week: int) -> str:
    return f"{weeks.thursdays[week]:%Y-%m-%d}"


def _whom(rates: FloatArray, age: int) -> str:
    return f" at age {REQUEST_AGES[age]}" if rates.shape[1] == len(REQUEST_AGES) else ""


def fitted_rates(figures: Figures, code: str) -> StageRates:
    """Fit the rates of an area.

    Parameters
    ----------
    figures : Figures
    code : str
        Of the area.
    """
    notes: list[str] = []
    mix = request_mix(figures, code)
    by_age = {}
    for name in PARTS:
        among = pool(figures, name)
        own = among.own[figures.row(code)]
        level = expit(among.england + among.lasting * np.nan_to_num(own))
        if np.isnan(own):
            notes.append(f"The area has no usable {WORDS[name]} of late: England's, {level:.1%}, stands in.")
        by_age[name] = _scaled(among.shape, float(level), mix)
    overturned, said = _overturned(figures, code)
    return StageRates(
        refusal=by_age["refusal"],
        withdrawal=by_age["withdrawal"],
        no_plan=by_age["no_plan"],
        overturned=overturned,
        wander={name: pool(figures, name).wander for name in ("refusal", "no_plan")},
        notes=(*notes, *said),
    )


def request_mix(figures: Figures, code: str) -> FloatArray:
    """Return shares of requests by age (ages,): the area's, else England's, else even."""
    areas, england = _requests_by_age(figures)
    for counts in (areas[figures.row(code)], england):
        if np.isfinite(counts).all() and counts.sum() > 0:
            mix: FloatArray = counts / counts.sum()
            return mix
    return np.full(len(REQUEST_AGES), 1 / len(REQUEST_AGES))


@lru_cache(maxsize=1)
def _requests_by_age(figures: Figures) -> tuple[FloatArray, FloatArray]:
    """Return requests by age of the areas (areas, ages) and of England (ages,)."""
    ages = list(REQUEST_AGES)
    tables = figures.by_age("requests").reindex(columns=ages), figures.national_by_age("requests").reindex(ages)
    return tables[0].to_numpy(dtype=np.float64), tables[1].to_numpy(dtype=np.float64)


def _scaled(shape: FloatArray, level: float, mix: FloatArray) -> FloatArray:
    """Return a profile by age (ages,), moved as logits until its mean over an area's requests is a level."""
    low, high = -12.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if mix @ expit(shape + middle) > level else (middle, high)
    scaled: FloatArray = expit(shape + (low + high) / 2)
    return scaled


def _overturned(figures: Figures, code: str) -> tuple[float, list[str]]:
    """Share of refusals that are overturned later, and what to say of it.

    Refusals that went to a tribunal stand for them, as outcomes are not published. An appeal can be of a refusal of
    the year before; an area that says more of them than refusals has no share of its own.
    """
    england = figures.national.get("refusals_to_tribunal", pd.Series(dtype=np.float64)).dropna()
    if england.empty:
        return 0.0, ["Overturned refusals: none, as refusals taken to a tribunal are not published by then."]
    year = england.index[-1]
    share = float(england[year] / figures.national["requests_refused"][year])
    appeals, refused = (
        figures.line(name, code).get(year, np.nan) for name in ("refusals_to_tribunal", "requests_refused")
    )
    if not appeals <= refused:
        stands = (
            f"Overturned refusals: {share:.1%} of refusals, the share of England's taken to a tribunal, as the area"
        )
        if np.isnan(appeals + refused):
            return share, [f"{stands} has no usable one in {year}; each is taken to succeed."]
        return share, [f"{stands} has {appeals:,.0f} of {refused:,.0f} in {year}; each is taken to succeed."]
    own = float((appeals + APPEALS_KNOWN * share) / (refused + APPEALS_KNOWN))
    said = [
        f"Overturned refusals: {own:.1%} of refusals, the share taken to a tribunal "
        f"({'the area has its own, shrunk to England' if refused else 'England'}'s), each taken to succeed; outcomes "
        "are not published."
    ]
    if own > MANY_OVERTURNED:
        said.append(
            f"That share is high: {appeals:,.0f} of {refused:,.0f} refusals of {year} went to a tribunal, against "
            f"{share:.1%} in England. An override of overturned replaces it."
        )
    return own, said
