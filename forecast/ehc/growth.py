"""Top-down caseload: the national path, and each area's deviation from it.

A caseload is fed by requests that are accepted and drained at the top of the age range, so an area whose accepted
requests are many for its caseload will outgrow the nation, and one that has given plans to a large share of its
pupils will fall behind it. What that is worth is learnt from all areas and past years together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pandas as pd

from forecast.ehc.figures import Figures
from forecast.ehc.pooled import fit_steps
from forecast.errors import SpecError
from forecast.models.base import Capability
from forecast.models.history import MAD_TO_SD, last_observed, take
from forecast.panel import FloatArray, Window

NATIONAL_RULES: Mapping[str, str] = MappingProxyType(
    {
        "fading_inflow": (
            "New plans grow on as the caseload last grew, by a fifth less each year; plans end at the share of the "
            "caseload that last year's figures imply. Growth carries on for some years, then levels off."
        ),
        "last_growth": "The caseload grows every year as it last grew: new plans keep pace with it for good.",
        "steady_inflow": "New plans stay at last year's number; plans end at the share last year's figures imply.",
    }
)
FADE: Mapping[str, float] = MappingProxyType({"fading_inflow": 0.8, "last_growth": 1.0, "steady_inflow": 0.0})
WINSOR = 3.0
MAX_GROWTH = log(1.5)
INPUTS = ("last year's growth", "accepted requests", "share of pupils")
REQUESTS = 1
# Effect of each input that is left after a year.
LEFT = np.array([0.0, 0.8, 0.8])


@dataclass(frozen=True, eq=False)
class CaseloadGrowth:
    """January caseload of every area: national path times the area's deviation; areas sum to the national path.

    *National path.* By a named rule (`NATIONAL_RULES`), a stock and its flows. *Deviation.* How far an area's log
    caseload moves from the nation's in the next year is a robust ridge regression (`forecast.ehc.pooled`), over all
    areas and past years, on three things known at the origin: its last move (momentum), the log of its requests
    accepted for assessment in the year before over its caseload, and the log of the share of its pupils who have a
    plan, each less the median of all areas. Momentum is spent in a year; the effect of the other two fades by a fifth
    each year, as areas with many requests do not keep them, so that what moves an area apart is bounded in the long
    run. Where requests or pupils are not known, those of the year before stand in, else the median of all areas; an
    area in its first year has no momentum. A caseload that ends before the origin is carried there by the growth of
    the areas that go on.

    Attributes
    ----------
    figures : Figures
        What is known of all areas; at an origin January Y, flows after Y - 1 and stocks after Y are not looked at.
    national_rule : str, default "fading_inflow"
        One of `NATIONAL_RULES`.
    national_total : mapping of year to float, optional
        Totals of the nation, the origin's among them, to follow instead of the rule in the years it holds: an
        assumption, or the outturn when it is asked what the area part is worth.
    area_part : bool, default True
        False: every area grows as the nation.
    before_requests : bool, default False
        True: answer also at origins before any requests were published, from what there is. By default it does not,
        so that its intervals are measured on errors it could make today: those years lack its main input, and
        are the years of the reform of September 2014, which no figure foretold.

    Raises
    ------
    SpecError
        An unknown rule, or a national total that is not above 0.
    """

    figures: Figures
    national_rule: str = "fading_inflow"
    national_total: Mapping[int, float] | None = None
    area_part: bool = True
    before_requests: bool = False

    name: ClassVar[str] = "ehc"
    capability: ClassVar[Capability] = Capability(min_history=1, handles_missing=True, batch=True, pooled=True)

    def __post_init__(self) -> None:
        if self.national_rule not in NATIONAL_RULES:
            raise SpecError(
                f"national_rule {self.national_rule!r}: not a rule for the caseload; there are "
                f"{', '.join(NATIONAL_RULES)}. Name one of them."
            )
        wrong = next((year for year, total in (self.national_total or {}).items() if not total > 0), None)
        if wrong is not None:
            total = (self.national_total or {})[wrong]
            raise SpecError(
                f"national_total of {wrong}: {total:g}; a total above 0 is needed. Give it, or leave it out."
            )

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon), not below zero; NaN for a series without any figure.

        Parameters
        ----------
        window : Window
            Yearly; ids `caseload/<area code>`. Areas of `figures` that it leaves out are forecast with it, so that
            an area's points do not depend on which others are asked for.
        horizon : int

        Raises
        ------
        SpecError
            The window is not yearly, or a series is not a caseload.
        """
        return self.explained(window, horizon)[0]

    def explained(self, window: Window, horizon: int) -> tuple[FloatArray, list[str]]:
        """Return points (n, horizon) and, a row, which of the three was not known."""
        if window.period != 1:
            raise SpecError(f"caseload with {window.period} periods a year: a figure a year is needed. Use freq YS.")
        stock = _stock(self.figures, window)
        inputs = _inputs(self.figures, stock)
        said = [""] * len(window.ids)
        if np.isnan(inputs[:, :, REQUESTS]).all() and not self.before_requests:
            return np.full((len(said), horizon), np.nan), said
        path = self._national(stock, horizon)
        points = _level(stock)[:, None] * path
        if self.area_part:
            worth = fit_steps(inputs, _log(stock.to_numpy(dtype=np.float64)), horizon=1).sum(axis=0)
            lasting = (LEFT[:, None] ** np.arange(horizon)).cumsum(axis=1)
            areas = points * np.exp((np.nan_to_num(inputs[:, -1]) * worth) @ lasting)
            points = areas * np.nansum(points, axis=0) / np.maximum(np.nansum(areas, axis=0), np.finfo(float).tiny)
            said = [_told(row) for row in inputs[: len(said), -1]]
        return points[: len(said)], said

    def _national(self, stock: pd.DataFrame, horizon: int) -> FloatArray:
        """Total of the nation over that at the origin (horizon,)."""
        origin = int(stock.columns[-1])
        inflow = _inflow(self.figures, origin)
        path = caseload_path(_last_growth(self.figures, stock), inflow, horizon, fade=FADE[self.national_rule])
        given = self.national_total or {}
        if origin not in given:
            return path
        steps = np.diff(np.log(path), prepend=0.0)
        total = np.array([given.get(origin + k, np.nan) for k in range(horizon + 1)])
        told = np.diff(np.log(total))
        return np.asarray(np.exp(np.where(np.isfinite(told), told, steps).cumsum()), dtype=np.float64)


def caseload_path(growth: float, inflow: float, horizon: int, *, fade: float) -> FloatArray:
    """Follow the nation's caseload as a stock with an inflow and exits, over that at the origin.

    Exits are the share of the caseload that makes the last year's figures balance (new plans less the change of the
    caseload), so transfers and late records are in them. The inflow grows as the caseload last did; `fade` is what is
    left of that growth each year: 1 repeats the caseload's last growth for good, 0 keeps the inflow level.

    Parameters
    ----------
    growth : float
        Log growth of the caseload in the year before the origin.
    inflow : float
        New plans of that year over the caseload at the origin; NaN where unknown: the growth itself fades.
    horizon : int
    fade : float

    Returns
    -------
    ndarray (horizon,)

    Examples
    --------
    >>> caseload_path(np.log(1.1), 0.15, 3, fade=1.0).round(3).tolist()
    [1.1, 1.21, 1.331]
    >>> caseload_path(np.log(1.1), 0.15, 3, fade=0.0).round(3).tolist()
    [1.085, 1.164, 1.239]
    """
    growth = float(np.clip(growth, -MAX_GROWTH, MAX_GROWTH))
    slowing = growth * fade ** np.arange(1, horizon + 1)
    if not np.isfinite(inflow):
        return np.asarray(np.exp(slowing.cumsum()), dtype=np.float64)
    inflow = float(np.clip(inflow, max(1 - exp(-growth), 0.0), 1.0))
    exits = inflow * exp(growth) - (exp(growth) - 1)
    path, stock = np.empty(horizon), 1.0
    for step, new in enumerate(inflow * np.exp(slowing.cumsum())):
        stock = stock * (1 - exits) + new
        path[step] = stock
    return path


def _stock(figures: Figures, window: Window) -> pd.DataFrame:
    """Caseload up to the origin by year: the rows of the window, then the areas it leaves out."""
    wrong = next((i for i in window.ids if "/" in i and not i.startswith("caseload/")), None)
    if wrong:
        raise SpecError(f"series {wrong!r}: not a caseload. Ask for series named caseload/<area code> alone.")
    codes = [i.rpartition("/")[2] for i in window.ids]
    origin = int(window.dates[-1].year)
    known = figures.of("caseload")
    first = min([int(window.dates[0].year), *(int(year) for year in known.columns)])
    years = list(range(first, origin + 1))
    known = known.reindex(columns=years)
    asked = pd.DataFrame(window.values, index=codes, columns=window.dates.year).reindex(columns=years)
    others = known.drop(index=codes, errors="ignore").dropna(how="all")
    return pd.concat([asked.where(asked.notna(), known.reindex(codes)), others])


def _level(stock: pd.DataFrame) -> FloatArray:
    """Latest caseload of each area, brought to the origin by the growth of the areas known in both years (n,)."""
    values = stock.to_numpy(dtype=np.float64)
    level = np.concatenate([[0.0], _growths(values).cumsum()])
    last = last_observed(values)
    return np.asarray(take(values, last) * np.exp(level[-1] - level[last]), dtype=np.float64)


def _growths(values: FloatArray) -> FloatArray:
    """Log growth of the areas known in both years (T-1,); 0 where there is none."""
    both = np.isfinite(values[:, 1:]) & np.isfinite(values[:, :-1])
    after, before = np.where(both, values[:, 1:], 0.0).sum(axis=0), np.where(both, values[:, :-1], 0.0).sum(axis=0)
    some = (after > 0) & (before > 0)
    return np.log(np.where(some, after, 1.0) / np.where(some, before, 1.0))


def _last_growth(figures: Figures, stock: pd.DataFrame) -> float:
    """Log growth of the nation in the year before the origin, published or else that of the areas."""
    origin = int(stock.columns[-1])
    england = figures.national.get("caseload", pd.Series(dtype=float)).reindex([origin - 1, origin])
    if (england > 0).all():
        return float(np.log(england.iloc[1] / england.iloc[0]))
    growths = _growths(stock.to_numpy(dtype=np.float64))
    return float(growths[-1]) if len(growths) else 0.0


def _inflow(figures: Figures, origin: int) -> float:
    """Return the nation's new plans of a year over the caseload at its end, of the latest year known; NaN without."""
    new, stock = (figures.national.get(measure, pd.Series(dtype=float)) for measure in ("new_plans", "caseload"))
    share = (new.rename(lambda year: year + 1) / stock).dropna()
    share = share[share.index <= origin]
    return float(share.iloc[-1]) if len(share) else np.nan


def _inputs(figures: Figures, stock: pd.DataFrame) -> FloatArray:
    """Lay out what an area's next move is told from, by year (n, T, 3); NaN where unknown."""
    values = stock.to_numpy(dtype=np.float64)
    requested, refused = figures.of("requests"), figures.of("requests_refused")
    accepted = (requested - refused if len(refused.columns) else requested).rename(columns=lambda year: year + 1)
    momentum = np.diff(_log(values), axis=1, prepend=np.nan)
    fed, pupils = (
        _log(table.reindex(index=stock.index, columns=stock.columns).to_numpy(dtype=np.float64))
        for table in (accepted, figures.pupils)
    )
    requests = fed - _log(values)
    return np.stack([_within(momentum), _carried(_within(requests)), _carried(_within(pupils))], axis=2)


def _log(values: FloatArray) -> FloatArray:
    """Logarithm, NaN where there is nothing to take it of."""
    return np.log(np.where(values > 0, values, np.nan))


def _within(values: FloatArray) -> FloatArray:
    """Less the median of the areas each year, the wild ones drawn in to three robust standard deviations."""
    some = np.isfinite(values).any(axis=0)
    apart = values - np.nanmedian(np.where(some, values, 0.0), axis=0)
    limit = WINSOR * MAD_TO_SD * np.nanmedian(np.where(some, np.abs(apart), 0.0), axis=0)
    return np.asarray(np.clip(apart, -limit, limit), dtype=np.float64)


def _carried(values: FloatArray) -> FloatArray:
    """Fill a missing figure with that of the year before."""
    return pd.DataFrame(values).ffill(axis=1, limit=1).to_numpy(dtype=np.float64)


def _told(inputs: FloatArray) -> str:
    missing = [name for name, value in zip(INPUTS, inputs, strict=True) if np.isnan(value)]
    return f"area part without {', '.join(missing)}: taken as the median area's" if missing else ""
