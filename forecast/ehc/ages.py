"""Ages of EHC figures: which age each table means, and how counts move from one to another.

Three bases are in use, and they differ by up to a year:

* a **stock** (plans in January) is counted by age at 31 August before. A child of age a in January is in the
  stock of the next January at a + 1;
* **requests, decisions and assessments** are counted by age on the day the request came in;
* **new and ceased plans** are counted, says the guidance, by age on the day of the event. The tables agree with the
  January stock only if it is the age reached by 31 December of that year, which `stock_to_event` therefore takes (in
  England in 2023 new plans at ages to 15 then miss what the stock gained by 9 thousand children, not by 21 thousand).

Every flow is brought to *age at 31 August of its own year*, the age at which it is found in the next January stock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from forecast import reference
from forecast.panel import FloatArray, IntArray

REQUEST_AGES: tuple[str, ...] = ("0-2", *(str(age) for age in range(3, 20)), "20+")
"""Published age categories of flows."""
REQUEST_AGE_SPANS: tuple[tuple[int, int], ...] = ((0, 2), *((age, age) for age in range(3, 20)), (20, 25))
"""First and last age of each category."""
STOCK_AGES: tuple[int, ...] = tuple(range(26))
"""Single years of age of a stock."""
BANDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"0-4": (0, 4), "5-10": (5, 10), "11-15": (11, 15), "16-19": (16, 19), "20-25": (20, 25)}
)
"""Published bands of stocks to January 2022 and of new plans to 2021: first and last age."""
BAND_NAMES: Mapping[str, str] = MappingProxyType(
    {"0-4": "Under 5", "5-10": "5 to 10", "11-15": "11 to 15", "16-19": "16 to 19", "20-25": "20 to 25"}
)
"""What a projection calls each of `BANDS`."""
AUGUST = 243 / 365
"""31 August as a share of the year; also the share of a school cohort born January to August."""
YOUNGEST = (0.01, 0.09, 0.90)
"""Ages 0, 1 and 2 within "2 and under" and "under 3": a tenth of the next each, as "under 3" of 3 in January 2024."""
OLDEST_RATIO = 0.52
"""Each age within "20 and over" against the one before, in flows: 19 to "20 and over" in new plans of 2023."""
NATIONAL_LAG = 0.52
"""Years from request to plan: the lag that leads from issued plans by age at request to new plans by age, 2023."""
_GRID = 400
_ROUNDS = 12


@lru_cache
def single_years() -> FloatArray:
    """Share of each single age in each category of `REQUEST_AGES`: (19, 26), rows sum to 1.

    >>> single_years().sum(axis=1).round(12).tolist() == [1.0] * len(REQUEST_AGES)
    True
    """
    shares = np.zeros((len(REQUEST_AGES), len(STOCK_AGES)))
    shares[0, :3] = YOUNGEST
    for row in range(1, len(REQUEST_AGES) - 1):
        shares[row, row + 2] = 1.0
    old = OLDEST_RATIO ** np.arange(6)
    shares[-1, 20:] = old / old.sum()
    shares.setflags(write=False)
    return shares


def stock_to_event() -> FloatArray:
    """Share of each age at 31 August in each published category of new and ceased plans: (27, 19), rows sum to 1.

    Row 26 is for those who cease in the year after their 25th. Of children aged c at 31 August those born January
    to August reach c in that calendar year, the others c + 1.
    """
    shares = np.zeros((len(STOCK_AGES) + 1, len(REQUEST_AGES)))
    for age in range(len(shares)):
        shares[age, _category(age)] += AUGUST
        shares[age, _category(age + 1)] += 1 - AUGUST
    return shares


@lru_cache
def stock_to_request(lag: float = NATIONAL_LAG) -> FloatArray:
    """Share of each age at 31 August of the year of issue in each age category of the request: (26, 19).

    Parameters
    ----------
    lag : float
        Years from request to plan; issue dates and birthdays are taken to be spread evenly over the year.
    """
    dates = (np.arange(_GRID) + 0.5) / _GRID
    younger = lag + AUGUST - dates
    shares = np.zeros((len(STOCK_AGES), len(REQUEST_AGES)))
    for age in STOCK_AGES:
        lowest = age - younger
        whole = np.floor(lowest).astype(int)
        over = lowest - whole
        np.add.at(shares[age], _category(whole), (1 - over) / _GRID)
        np.add.at(shares[age], _category(whole + 1), over / _GRID)
    shares.setflags(write=False)
    return shares


def unfolded(counts: FloatArray, likelihood: FloatArray, *, start: FloatArray | None = None) -> FloatArray:
    """Find non-negative counts by age at 31 August that would be published as `counts` (Richardson-Lucy).

    Parameters
    ----------
    counts : ndarray (19,)
    likelihood : ndarray (A, 19)
        Share of each age in each category: `stock_to_event` or `stock_to_request`.
    start : ndarray (A,), optional
        Where to begin; splits what the categories cannot tell apart. Default: `counts` on `single_years`.

    Returns
    -------
    ndarray (A,)
        Sums to the sum of `counts`. Few rounds: more of them let neighbouring ages swing against each other.
    """
    found = np.zeros(len(likelihood))
    found[: len(STOCK_AGES)] = counts @ single_years() if start is None else start
    found += 1e-9 * (1 + counts.sum())
    for _ in range(_ROUNDS):
        expected = found @ likelihood
        found = found * (likelihood @ np.divide(counts, expected, out=np.zeros_like(expected), where=expected > 0))
    return found * (counts.sum() / found.sum()) if counts.sum() > 0 else found * 0.0


def conversion(*, profile: FloatArray, likelihood: FloatArray) -> FloatArray:
    """Share of each of A ages at 31 August in each published category, by Bayes' rule.

    A uniform spread within each published age would blur the peaks (in 2023 a child of 3 with a request was most often
    one about to start school), so the ages behind a category are weighted by how common they are in the nation.

    Parameters
    ----------
    profile : ndarray (A,)
        Relative frequency of each age at 31 August, in the nation.
    likelihood : ndarray (A, 19)
        `stock_to_event` or `stock_to_request`.

    Returns
    -------
    ndarray (19, A)
        Rows sum to 1: `counts @ conversion(...)` keeps the total.
    """
    joint = (likelihood * np.maximum(profile, 1e-9 * profile.max())[:, None]).T
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def band_sums(values: FloatArray, bands: Mapping[str, tuple[int, int]]) -> dict[str, FloatArray]:
    """Sum the last axis (26 ages) over bands of first to last age; ages that no band holds are left out.

    >>> band_sums(np.ones(26), {"under 5": (0, 4)})["under 5"]
    np.float64(5.0)
    """
    return {label: values[..., first : last + 1].sum(axis=-1) for label, (first, last) in bands.items()}


def requests_by_age(totals: FloatArray, *, shares: FloatArray, population: FloatArray | None = None) -> FloatArray:
    """Split requests over ages, and follow the number of children where it is known.

    Without a population the parts sum to the totals. With one, requests are rate by age x persons by age, and the
    totals say how the rates move: at each age requests are total x share x persons over those of the base year. So
    they sum to more than the totals where the ages that ask grow, and to less where fewer children are born.

    Parameters
    ----------
    totals : ndarray (P, Y)
        Requests if the number of children stayed.
    shares : ndarray (19,)
        Shares of ages in the last published year, the base; they sum to 1.
    population : ndarray (1 + Y, 19), optional
        Persons in that year, then in the years of `totals`: `population_by_request_age`.

    Returns
    -------
    ndarray (P, Y, 19)

    Examples
    --------
    >>> children = np.ones((2, 19))
    >>> children[1, 0] = 0.5
    >>> found = requests_by_age(np.full((1, 1), 100.0), shares=np.eye(19)[0] * 0.6 + np.eye(19)[5] * 0.4,
    ...     population=children)
    >>> found.sum().round(6), found[0, 0, 0].round(6)
    (np.float64(70.0), np.float64(30.0))
    """
    weights = shares if population is None else shares * population[1:] / population[0]
    return np.asarray(totals[:, :, None] * weights)


def population_by_request_age(code: str, years: Sequence[int]) -> FloatArray | None:
    """Return mid-year population of an area in the age categories of requests.

    Within "0-2" and "20+" ages count as they do among requests.

    Parameters
    ----------
    code : str
    years : sequence of int
        Calendar years; those outside the projection take its first or last year.

    Returns
    -------
    ndarray (Y, 19) or None
        None where no projection is bundled.
    """
    frame = reference.population()
    frame = frame[frame["area_code"].eq(code)]
    if frame.empty:
        return None
    table = frame.pivot(index="year", columns="age", values="persons").reindex(columns=list(STOCK_AGES))
    wanted = [min(max(year, table.index.min()), table.index.max()) for year in years]
    return np.asarray(table.loc[wanted].to_numpy(dtype=float) @ single_years().T)


def _category(age: IntArray | int) -> IntArray:
    return np.clip(age, 2, 20) - 2
