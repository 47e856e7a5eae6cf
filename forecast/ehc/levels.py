"""Levels of a rate over all areas: England's, each area's deviation from it, and how such deviations last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import logit

from forecast.ehc.ages import REQUEST_AGES
from forecast.ehc.figures import Figures
from forecast.models.history import MAD_TO_SD
from forecast.panel import FloatArray

WEIGHTS = (1.0, 0.5, 0.25)  # of the latest year and the two before
FARTHEST = 1.5  # deviations from England, as logits, count no further: zeros are often faults
SMALLEST = 20  # cases a year below which a rate says nothing
PAIRS = 100  # what is needed to measure how long levels last
STANDARD = {"refusal": 0.26, "withdrawal": 0.016, "no_plan": 0.055}  # England 2023, for releases without the columns
LASTING, MOVED, KEPT = 0.7, 0.3, 0.6  # before enough pairs are there: share of a deviation kept, spread, carry-over
FEW = 5.0  # cases of the mean rate added to an age of England's profile
# Measures that a rate counts, and those that make up the rest of the whole.
PARTS = {
    "refusal": (("requests_refused",), ("decided_to_assess", "requests_withdrawn")),
    "withdrawal": (("requests_withdrawn",), ("decided_to_assess", "requests_refused")),
    "no_plan": (("assessments_no_plan", "assessments_withdrawn"), ("assessments_issued",)),
}


@dataclass(frozen=True, eq=False)
class Wander:
    """How a rate moves on the paths: as logits, sd of a year's move and the share of the last one that stays."""

    sd: float
    kept: float

    def draw(self, rng: np.random.Generator, n_paths: int, years: int) -> FloatArray:
        """Return moves from the planned rate (paths, years)."""
        moves = rng.normal(0.0, self.sd, (n_paths, years))
        for y in range(1, years):
            moves[:, y] += self.kept * moves[:, y - 1]
        return moves


@dataclass(frozen=True, eq=False)
class Pool:
    """What all areas say of a rate: England's logit, areas' recent deviations from it (areas,), and how they last."""

    england: float
    own: FloatArray
    lasting: float
    wander: Wander
    shape: FloatArray  # logits by age, of England


@lru_cache(maxsize=len(PARTS))  # of one Figures, as it keeps them alive
def pool(figures: Figures, name: str) -> Pool:
    """Measure a rate over all areas and years.

    Parameters
    ----------
    figures : Figures
    name : str
        A key of `PARTS`.
    """
    measures, rest = PARTS[name]
    years = pd.Index(range(figures.last_flow - 12, figures.last_flow + 1), name="year")

    def of(measure: str) -> pd.DataFrame:
        """Figures of areas, England last."""
        areas = figures.of(measure).reindex(columns=years)
        england = figures.national.get(measure, pd.Series(dtype=np.float64)).reindex(years)
        found = pd.concat([areas, england.to_frame("England").T]).astype(np.float64)
        return found.fillna(0.0) if measure == "assessments_withdrawn" else found

    part = _sum([of(measure) for measure in measures])
    whole = _sum([part, *(of(measure) for measure in rest)])
    if name == "refusal":
        whole = whole.fillna(of("requests"))
    shape = _profile(figures, measures, rest)
    known = part.loc["England"].notna() & whole.loc["England"].notna()
    if not known.any():
        return Pool(
            float(logit(STANDARD[name])),
            np.full(len(figures.areas), np.nan),
            LASTING,
            Wander(MOVED, KEPT),
            shape,
        )
    usable = part.le(whole) & whole.ge(SMALLEST)
    level = logit(((part + 0.5) / (whole + 1)).where(usable).loc[:, known].to_numpy())
    own = np.clip(level[:-1] - level[-1], -FARTHEST, FARTHEST)
    recent = np.stack([_recent(own[:, : t + 1]) for t in range(own.shape[1])], axis=1)
    lasting, _ = _carried(recent, own, 3)
    kept, _ = _carried(own, own, 1)
    _, moved = _carried(recent, own, 1)
    return Pool(float(level[-1, -1]), recent[:, -1], lasting, Wander(moved, kept), shape)


def _sum(frames: list[pd.DataFrame]) -> pd.DataFrame:
    total = frames[0]
    for frame in frames[1:]:
        total = total + frame
    return total


def _recent(own: FloatArray) -> FloatArray:
    """Return weighted means of the last three years (areas,); NaN without one."""
    last = own[:, ::-1][:, : len(WEIGHTS)]
    weights = np.isfinite(last) * np.asarray(WEIGHTS[: last.shape[1]])
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean: FloatArray = np.where(total > 0, (np.nan_to_num(last) * weights).sum(axis=1) / total, np.nan)
    return mean


def _carried(then: FloatArray, own: FloatArray, years: int) -> tuple[float, float]:
    """Share of a deviation found again in the mean of the years after, and the robust sd of what is not."""
    x, y = [], []
    for t in range(own.shape[1] - 1):
        after = own[:, t + 1 : t + 1 + years]
        count = np.isfinite(after).sum(axis=1)
        mean = np.nansum(after, axis=1) / np.maximum(count, 1)
        both = np.isfinite(then[:, t]) & (count > 0)
        x.append(then[both, t])
        y.append(mean[both])
    before, later = (np.concatenate(each) if each else np.empty(0) for each in (x, y))
    if len(before) < PAIRS:
        return (LASTING if years > 1 else KEPT), MOVED
    share = float(np.clip(before @ later / (before @ before), 0.0, 1.0))
    error = later - share * before
    return share, float(MAD_TO_SD * np.median(np.abs(error - np.median(error))))


def _profile(figures: Figures, measures: tuple[str, ...], rest: tuple[str, ...]) -> FloatArray:
    """Return England's rate by age as logits (ages,): flat without a breakdown."""
    ages = list(REQUEST_AGES)
    tables = {name: figures.national_by_age(name).reindex(ages).fillna(0.0).to_numpy() for name in (*measures, *rest)}
    part, whole = sum(tables[name] for name in measures), sum(tables.values())
    if np.sum(part) <= 0:
        return np.zeros(len(ages))
    mean = np.sum(part) / np.sum(whole)
    shape: FloatArray = logit((part + FEW * mean) / (whole + FEW))
    return shape
