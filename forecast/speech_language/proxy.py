"""Published waiting lists of one provider, and the referrals they let one guess where no log is kept.

Source of the rule: the open project `community_waits` (MIT licence): referrals a week are 1.1 times the
children who have waited up to a week, and removals are what the balance of the list leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import InputError
from forecast.panel import FloatArray
from forecast.sources.nhs_waiting_list import MEASURES

BoolArray = npt.NDArray[np.bool_]

TOTAL, *BANDS = MEASURES.values()
SEEN_WITHIN_THE_WEEK = 1.1  # referrals a week for each child who has waited up to a week
EMPTIED = 20.0  # a list of so many children does not empty within a month
DAYS_A_WEEK = 7.0
LEVELS = ("provider", "icb", "nhs_region", "national")
DOUBTS = (
    "Referrals are not published: they are taken as {factor} times the children who have waited up to a week, as "
    "counted on the last day of each month (modelled). One week stands for its month, so a school holiday or a late "
    "entry at the month's end counts for all of it, and children seen or turned down within days are in the factor "
    "only."
)


@dataclass(frozen=True, eq=False, kw_only=True)
class BandHistory:
    """A published waiting list at the end of each month.

    N months, B bands of `WaitBands()`, the bands of the publication.

    Attributes
    ----------
    code, name : str
        Of the organisation.
    months : DatetimeIndex (N,)
        First days, without a hole, to the last one with its bands.
    bands : ndarray (N, B)
        Children by wait band, which sum to the total; NaN where they are not known.
    total : ndarray (N,)
        Children waiting; NaN where not known.
    available : DatetimeIndex (N,)
        When the figures were published.
    notes : tuple of str
        What was changed in them.
    """

    code: str
    name: str
    months: pd.DatetimeIndex
    bands: FloatArray
    total: FloatArray
    available: pd.DatetimeIndex
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Proxy:
    """Referrals and removals guessed from a published waiting list; all modelled.

    Attributes
    ----------
    months : DatetimeIndex (N,)
    a_week : ndarray (N,)
        Referrals a week; NaN where the list is not known.
    referrals : ndarray (N,)
        Referrals a month.
    removals : ndarray (N,)
        Children who left the list in the month, seen or not; NaN in the first month and next to one not known.
    notes : tuple of str
        Doubts, in words for readers.
    """

    months: pd.DatetimeIndex
    a_week: FloatArray
    referrals: FloatArray
    removals: FloatArray
    notes: tuple[str, ...]

    def monthly(self) -> pd.Series:
        """Return the referrals a month with the months as index."""
        return pd.Series(self.referrals, index=self.months, name="referrals")


def band_history(observations: pd.DataFrame, code: str) -> BandHistory:
    """Take the list of one organisation out of published waiting lists.

    Parameters
    ----------
    observations : DataFrame
        Of `forecast.sources.nhs_waiting_list.read` or `forecast.reference.slt_waiting`, as known on a day: the latest
        vintage of a figure counts.
    code : str
        Code or name of a provider, or else of an ICB, a region or England, in any case.

    Returns
    -------
    BandHistory

    Raises
    ------
    InputError
        No such organisation, or none of its months has a list by bands.

    Notes
    -----
    Bands that do not sum to the published total are scaled to it; where all of them are zero beside a total, they are
    not known. A total of 0 right after a list of 20 children or more counts as not submitted, unless the next one is 0
    too.
    """
    rows = _of(observations, code)
    latest = rows.sort_values("available", kind="stable").drop_duplicates(["measure", "ds"], keep="last")
    wide = latest.pivot_table(index="ds", columns="measure", values="y", dropna=False)
    months = pd.date_range(wide.index.min(), wide.index.max(), freq="MS").as_unit("ns")
    wide = wide.reindex(index=months, columns=[TOTAL, *BANDS])
    total, bands = wide[TOTAL].to_numpy(dtype=np.float64), wide[list(BANDS)].to_numpy(dtype=np.float64)
    emptied = sudden_zeros(total)
    total, bands = np.where(emptied, np.nan, total), np.where(emptied[:, None], np.nan, bands)
    sums = bands.sum(axis=1)
    unknown = ((sums == 0) & (total > 0)) | ~np.isfinite(sums) | ~np.isfinite(total)
    scale = np.divide(total, sums, out=np.ones_like(total), where=~unknown & (sums > 0))
    bands = np.where(unknown[:, None], np.nan, bands * scale[:, None])
    known = np.flatnonzero(np.isfinite(bands[:, 0]))
    first = latest.iloc[-1]
    if not len(known):
        raise InputError(
            f"waiting list of {first['area_name']}: no month has children by wait band. Name a provider that submits "
            "them, or give referrals and a capacity."
        )
    kept = slice(known[0], known[-1] + 1)
    published = latest[latest["measure"].eq(TOTAL)].set_index("ds")["available"].reindex(months)
    notes = _notes(months[kept], emptied[kept], unknown[kept], np.abs(scale - 1)[kept] > 1e-9)
    return BandHistory(
        code=str(first["area_code"]),
        name=str(first["area_name"]),
        months=months[kept],
        bands=bands[kept],
        total=total[kept],
        available=pd.DatetimeIndex(published)[kept],
        notes=tuple(notes),
    )


def sudden_zeros(total: FloatArray) -> BoolArray:
    """Mark zeros that are rather lists not submitted: right after 20 children or more, and not followed by another.

    Parameters
    ----------
    total : ndarray (..., N)
        Children waiting, month by month.

    Returns
    -------
    ndarray of bool (..., N)

    Examples
    --------
    >>> sudden_zeros(np.array([2138.0, 0.0, 2002.0])).tolist(), sudden_zeros(np.array([4.0, 0.0, 0.0])).tolist()
    ([False, True, False], [False, False, False])
    """
    zero = total == 0
    before = np.concatenate([np.zeros_like(zero[..., :1]), total[..., :-1] >= EMPTIED], axis=-1)
    again = np.concatenate([zero[..., 1:], np.zeros_like(zero[..., :1])], axis=-1)
    return np.asarray(zero & before & ~again)


def referral_proxy(history: BandHistory) -> Proxy:
    """Guess referrals and removals from a published list.

    Parameters
    ----------
    history : BandHistory

    Returns
    -------
    Proxy

    Raises
    ------
    InputError
        The list grew by more than the referrals so guessed in some month: the series does not balance.
    """
    weeks = history.months.days_in_month.to_numpy(dtype=np.float64) / DAYS_A_WEEK
    a_week = SEEN_WITHIN_THE_WEEK * history.bands[:, 0]
    referrals = a_week * weeks
    removals = np.append(np.nan, history.total[:-1] + referrals[1:] - history.total[1:])
    negative = np.flatnonzero(removals < 0)
    if len(negative):
        when = ", ".join(f"{month:%Y-%m}" for month in history.months[negative])
        raise InputError(
            f"waiting list of {history.name}: it grew by more than the referrals that its 0-1 week band stands for "
            f"({when}), so that referrals cannot be taken from it. Give a monthly referral log."
        )
    return Proxy(
        months=history.months,
        a_week=a_week,
        referrals=referrals,
        removals=removals,
        notes=(DOUBTS.format(factor=SEEN_WITHIN_THE_WEEK), *history.notes),
    )


def _of(observations: pd.DataFrame, code: str) -> pd.DataFrame:
    """Rows of one organisation; a provider before an ICB, a region or England of that name."""
    rows = observations[observations["measure"].isin([TOTAL, *BANDS])]
    wanted = code.strip().casefold()
    mine = rows[rows["area_code"].str.casefold().eq(wanted) | rows["area_name"].str.casefold().eq(wanted)]
    for level in LEVELS:
        found = mine[mine["geographic_level"].eq(level)]
        if len(found):
            return found
    names = sorted(rows["area_name"].unique())
    near = get_close_matches(code, names, n=3, cutoff=0.5)
    hint = f"Near: {', '.join(near)}." if near else "Use a name or a code of the published list."
    raise InputError(f"waiting list of {code!r}: no such organisation among {len(names)}. {hint}")


def _notes(months: pd.DatetimeIndex, emptied: BoolArray, unknown: BoolArray, scaled: BoolArray) -> Iterator[str]:
    for which, said in (
        (emptied, "a list of 0 right after a long one counts as not submitted"),
        (unknown & ~emptied, "the list by wait band is not known"),
        (scaled, "the wait bands do not sum to the total and are scaled to it"),
    ):
        if which.any():
            yield f"Published waiting list, {', '.join(f'{month:%B %Y}' for month in months[which])}: {said}."
