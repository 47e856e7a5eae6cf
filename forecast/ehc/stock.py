"""The January stock by single age: of areas, of England, and of England a year before."""

from __future__ import annotations

import numpy as np

from forecast.ehc import ages
from forecast.ehc.figures import Figures
from forecast.errors import InputError
from forecast.panel import FloatArray

AGES = len(ages.STOCK_AGES)
STOCK_LABELS = ("0-2", *(str(age) for age in range(3, AGES)))
"""Published age categories of a stock by single age."""


def caseload_total(figures: Figures, code: str) -> tuple[float, tuple[str, ...]]:
    """Return the latest January caseload of an area, and what had to be filled in.

    Raises
    ------
    InputError
        If no caseload of the area is known.
    """
    january = figures.last_flow + 1
    line = figures.of("caseload").loc[code].dropna().astype(float)
    if line.empty:
        raise InputError(
            f"caseload of {figures.areas[figures.row(code)].name} ({code}): no January is known up to {january}; the "
            "cohort starts from one. Choose another area or add the figures of this one."
        )
    last, total = int(line.index[-1]), float(line.to_numpy()[-1])
    if last == january:
        return total, ()
    nation = figures.national["caseload"].astype(float)
    note = f"The caseload of January {january} is not known: that of {last} was moved with the nation's."
    return total * float(nation.loc[january] / nation.loc[last]), (note,)


def age_shares(figures: Figures) -> tuple[FloatArray, tuple[str, ...]]:
    """Return shares of ages (areas, 26) in the latest caseload, and whose they are.

    "" stands for the area itself; an area without ages has those of the others in its region, or of England.
    """
    table = figures.by_age("caseload", year=figures.last_flow + 1).reindex(columns=list(STOCK_LABELS))
    counts = table.fillna(0.0).to_numpy(dtype=float)
    regions = np.array([area.region_code for area in figures.areas])
    found, whose = np.empty((len(counts), AGES)), []
    for row, (area, own) in enumerate(zip(figures.areas, counts, strict=True)):
        nearby = counts[regions == area.region_code].sum(axis=0)
        if own.sum() > 0:
            used, said = own, ""
        elif nearby.sum() > 0:
            used, said = nearby, f"of the rest of {area.region_name}"
        else:
            used, said = counts.sum(axis=0), "of England"
        found[row] = _singles(used)
        whose.append(said)
    return found, tuple(whose)


def _singles(counts: FloatArray) -> FloatArray:
    """Put counts by published age of a stock (24,) on single ages, as shares (26,)."""
    return np.asarray(np.concatenate([counts[0] * np.array(ages.YOUNGEST), counts[1:]]) / counts.sum())


def national_stock(figures: Figures) -> FloatArray:
    """Latest January stock of England by single age (26,), at its published total."""
    year = figures.last_flow + 1
    line = figures.national_by_age("caseload", year=year).reindex(list(STOCK_LABELS)).to_numpy(dtype=float)
    if not np.isfinite(line).all():
        raise InputError(
            f"caseload of England by age, January {year}: not known; the cohort needs a January by single age (the "
            "first published is 2024, known from mid-2024). Choose a later as-of date."
        )
    return np.asarray(_singles(line) * float(figures.national["caseload"][year]))


def earlier_stock(figures: Figures, closing: FloatArray) -> FloatArray:
    """Estimate the stock a year before by age: growth by age runs through the growth of the age bands."""
    january = figures.last_flow + 1
    rows = figures.breakdowns
    rows = rows[rows["measure"].eq("caseload") & rows["geographic_level"].eq("national") & rows["age"].isin(ages.BANDS)]
    bands = rows.assign(year=rows["ds"].dt.year).pivot(index="year", columns="age", values="y")
    bands = bands[list(ages.BANDS)].dropna() if set(ages.BANDS) <= set(bands) else bands.iloc[:0]
    growth = np.ones(AGES)
    if len(bands):
        sums = np.array(list(ages.band_sums(closing, ages.BANDS).values()))
        yearly = (sums / bands.iloc[-1].to_numpy()) ** (1 / (january - int(bands.index[-1])))
        middles = [(first + last) / 2 for first, last in ages.BANDS.values()]
        growth = np.interp(ages.STOCK_AGES, middles, yearly)
    earlier = closing / growth
    return np.asarray(earlier * float(figures.national["caseload"][january - 1]) / earlier.sum())
