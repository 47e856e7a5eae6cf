"""A made-up monthly referral log: `python -m forecast.reference.synthetic_referrals > FILE`.

No public monthly counts of referrals exist. This log shows what the speech and language part does with a council's
own, on numbers of a likely size: nobody was counted for it, its localities are numbers, and every row says that it is
synthetic. The same seed gives the same bytes.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pandas as pd

from forecast import reference
from forecast.calendar import FloatArray, term_days, working_days

SEED = 20230901
PROVIDER = "RWJ"
FIRST, LAST = "2019-10-01", "2023-09-01"
COLUMNS = ("month", "locality", "age_band", "source", "tier", "referrals", "provenance")

LOCALITIES = tuple(f"Locality {number}" for number in range(1, 8))
AGE_BANDS = ("0-4", "5-10", "11-18")
SOURCES = ("GP or paediatrician", "Health visitor", "Parent or carer", "School or nursery")
TIERS = ("specialist", "targeted", "universal")

# Shares are guesses of a likely size, in the order of the names above.
LOCALITY_SHARE = (0.19, 0.17, 0.16, 0.14, 0.13, 0.12, 0.09)
AGE_SHARE = (0.58, 0.33, 0.09)
SOURCE_SHARE = ((0.16, 0.48, 0.16, 0.20), (0.14, 0.02, 0.18, 0.66), (0.22, 0.01, 0.17, 0.60))
TIER_SHARE = ((0.30, 0.52, 0.18), (0.36, 0.50, 0.14), (0.50, 0.42, 0.08))
# What a working day outside term brings, against one in term.
OUT_OF_TERM = (0.85, 0.85, 0.55, 0.04)
GROWTH_A_YEAR = 0.05
PANDEMIC = {
    **{"2020-03": 0.75, "2020-04": 0.35, "2020-05": 0.40, "2020-06": 0.50, "2020-07": 0.65, "2020-08": 0.75},
    **{"2020-09": 0.90, "2020-11": 0.90, "2021-01": 0.70, "2021-02": 0.70, "2021-03": 0.90},
}
MONTH_SPREAD, LOCALITY_SPREAD = 0.08, 0.12
CALIBRATED = 9
PROXY = 1.1


def published_proxy() -> pd.Series:
    """Referrals a month that the published waiting list suggests: children waiting up to a week x 1.1 x weeks.

    Returns
    -------
    Series
        By month, for Stockport NHS Foundation Trust.
    """
    rows = reference.slt_waiting().observations
    band = rows[rows["measure"].eq("slt_waiting_0_1") & rows["area_code"].eq(PROVIDER)].set_index("ds")["y"]
    months = pd.DatetimeIndex(band.index)
    return pd.Series(band.to_numpy() * PROXY * months.days_in_month.to_numpy() / 7, index=months, name="referrals")


def make_log(seed: int = SEED) -> pd.DataFrame:
    """Make the log.

    Counts are Poisson around a mean of locality, age band, source and tier, times the school and working days of the
    month, steady growth and the dip of 2020, with a shock to each month and to each locality in it. In the last
    nine months targeted and specialist referrals, which join a list, are drawn under the condition that they add up to
    the sum of the published proxy.

    Parameters
    ----------
    seed : int

    Returns
    -------
    DataFrame
        month ("2023-09"), locality, age_band, source, tier, referrals (int; 0 only
        where a locality has none in a month), provenance ("synthetic").
    """
    months = pd.date_range(FIRST, LAST, freq="MS")
    cells = list(product(LOCALITIES, AGE_BANDS, SOURCES, TIERS))
    rng = np.random.default_rng(seed)
    mean = _mean(months, rng)
    counts = np.empty(mean.shape, dtype=np.int64)
    total = round(float(published_proxy().sum()))
    waits = np.array([tier != "universal" for *_, tier in cells])
    mean *= total / mean[-CALIBRATED:, waits].sum()
    counts[:] = _poisson(mean, rng)
    counts[-CALIBRATED:, waits] = _placed(total, mean[-CALIBRATED:, waits], rng)
    listed = counts.reshape(len(months), len(LOCALITIES), -1) > 0
    listed[..., 0] |= ~listed.any(axis=2)  # a month without any row would say that a locality's counts are missing
    month, cell = np.nonzero(listed.reshape(counts.shape))
    named = pd.DataFrame([cells[k] for k in cell], columns=list(COLUMNS[1:5]))
    named.insert(0, "month", months.strftime("%Y-%m")[month])
    return named.assign(referrals=counts[month, cell], provenance="synthetic")


def _mean(months: pd.DatetimeIndex, rng: np.random.Generator) -> FloatArray:
    """Relative mean of each month and cell (months, cells), shocks included."""
    term, working = term_days(months), working_days(months)
    days = term[:, None] + (working - term)[:, None] * np.array(OUT_OF_TERM)
    level = np.array([PANDEMIC.get(month, 1.0) for month in months.strftime("%Y-%m")])
    level *= (1 + GROWTH_A_YEAR) ** (np.arange(len(months)) / 12) * np.exp(_normal(len(months), rng) * MONTH_SPREAD)
    shock = np.exp(_normal(len(months) * len(LOCALITIES), rng) * LOCALITY_SPREAD).reshape(len(months), -1)
    shares = np.einsum("l,a,as,at->last", LOCALITY_SHARE, AGE_SHARE, SOURCE_SHARE, TIER_SHARE)
    made = np.einsum("m,ml,ms,last->mlast", level, shock, days, shares)
    return np.asarray(made.reshape(len(months), -1), dtype=np.float64)


# Drawn by inversion of uniform numbers, so that another numpy gives the same log.
def _normal(size: int, rng: np.random.Generator) -> FloatArray:
    from scipy.special import ndtri

    return np.asarray(ndtri(rng.random(size)), dtype=np.float64)


def _poisson(mean: FloatArray, rng: np.random.Generator) -> FloatArray:
    from scipy.stats import poisson

    return np.asarray(poisson.ppf(rng.random(mean.shape), mean), dtype=np.float64)


def _placed(total: int, mean: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Place a number of referrals one by one, in proportion to the mean."""
    upto = np.cumsum(mean.ravel())
    places = np.searchsorted(upto, rng.random(total) * upto[-1], side="right")
    return np.bincount(places, minlength=mean.size).reshape(mean.shape).astype(np.float64)


def main() -> int:
    """Write the log to standard output."""
    sys.stdout.write(make_log().to_csv(index=False, lineterminator="\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
