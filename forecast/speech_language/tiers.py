"""Demand moves between tiers (universal, targeted, specialist) at a rate and with a delay: a service is redesigned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from forecast.errors import SpecError
from forecast.panel import BoolArray, FloatArray, IntArray

ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class TierMove:
    """A share of one tier's referrals that goes to another tier, from a day on, for good.

    Attributes
    ----------
    from_tier, to_tier : str
    share : float
        Of the referrals that from_tier would have without any move, above 0 to 1, once the move is complete.
    start : date
        Day the redesign begins.
    delay_months : int
        Months from then until the first child goes elsewhere.
    build_up_months : int
        Months after that over which the share grows evenly to its full size; 0: at once.
    localities, age_bands : tuple of str
        Where and for whom; empty: everywhere, for all.
    reason : str

    Raises
    ------
    SpecError
        Tiers, share, day, delay or build-up cannot be.
    """

    from_tier: str
    to_tier: str
    share: float
    start: date
    delay_months: int = 0
    build_up_months: int = 0
    localities: tuple[str, ...] = ()
    age_bands: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if fault := self._fault():
            raise SpecError(f"{self.name}: {fault}")

    @property
    def name(self) -> str:
        """What errors call it."""
        return f"move from {self.from_tier} to {self.to_tier}"

    def _fault(self) -> str:
        if self.from_tier == self.to_tier:
            return "both tiers are the same. Name two."
        if not 0 < self.share <= 1:
            return f"share {self.share:g}; above 0 and at most 1 is needed. Correct it."
        # A datetime, and so a pandas Timestamp, is a date too, but has an hour, which no move is told by.
        if not isinstance(self.start, date) or isinstance(self.start, datetime):
            return f"start {self.start!r} is a {type(self.start).__name__}; a day is needed. Give a datetime.date."
        for what, months in (("delay_months", self.delay_months), ("build_up_months", self.build_up_months)):
            if isinstance(months, bool) or not isinstance(months, int) or months < 0:
                return f"{what} {months!r}; a whole number of months, 0 or more, is needed. Correct it."
        for what, given in (("localities", self.localities), ("age_bands", self.age_bands)):
            if isinstance(given, str):
                return f"{what} {given!r} is one text; a tuple is needed. Write ({given!r},)."
        return ""

    def says(self) -> str:
        """Tell it in words.

        >>> TierMove(from_tier="specialist", to_tier="targeted", share=0.2, start=date(2024, 9, 1),
        ...          delay_months=3, build_up_months=12).says()
        '20 % of specialist referrals go to targeted, 3 months after 1 September 2024, built up over 12 months'
        """
        day = f"{self.start.day} {self.start:%B %Y}"
        parts = [
            f"{100 * self.share:.4g} % of {self.from_tier} referrals go to {self.to_tier}",
            f"{_months(self.delay_months)} after {day}" if self.delay_months else f"from {day}",
        ]
        if self.build_up_months:
            parts.append(f"built up over {_months(self.build_up_months)}")
        if self.localities:
            parts.append(f"in {' and '.join(self.localities)}")
        if self.age_bands:
            parts.append(f"ages {' and '.join(self.age_bands)}")
        return ", ".join(parts)

    def by_month(self, months: pd.DatetimeIndex) -> FloatArray:
        """Return the share that goes to the other tier in each month (M,), the mean over its days.

        Examples
        --------
        >>> move = TierMove(from_tier="specialist", to_tier="targeted", share=0.2, start=date(2024, 9, 1),
        ...                 delay_months=1, build_up_months=2)
        >>> move.by_month(pd.date_range("2024-09-01", periods=4, freq="MS")).round(3).tolist()
        [0.0, 0.05, 0.15, 0.2]
        """
        into_month = (self.start.day - 1) / pd.Timestamp(self.start).days_in_month
        begins = self.start.year * 12 + self.start.month + into_month + self.delay_months
        since = np.asarray(months.year * 12 + months.month, dtype=np.float64) - begins
        return self.share * (self._grown(since + 1) - self._grown(since))

    def _grown(self, since: FloatArray) -> FloatArray:
        """Integral, over the months since the first child went elsewhere, of the part of the share that is reached."""
        growing = np.clip(since, 0, self.build_up_months)
        complete = np.maximum(since - self.build_up_months, 0)
        return np.asarray(complete + growing**2 / (2 * max(self.build_up_months, 1)))


def move_demand(
    referrals: FloatArray, *, cells: pd.DataFrame, months: pd.DatetimeIndex, moves: Sequence[TierMove]
) -> FloatArray:
    """Move demand between tiers.

    Parameters
    ----------
    referrals : ndarray (C, M, P)
        Without any move.
    cells : DataFrame
        locality, age_band and tier, a row a cell, each once.
    months : DatetimeIndex (M,)
        First days.
    moves : sequence of TierMove
        Each takes its share of the referrals without any move: their order does not matter.

    Returns
    -------
    ndarray (C, M, P)
        With the same total in every locality and age band, month and path.

    Raises
    ------
    SpecError
        A tier, locality or age band is not known, more would leave a tier than is in it, or children would go to a
        tier that is not counted for them.
    """
    pairs = [_pairs(move, cells) for move in moves]
    _check_sums(moves, [source for source, _ in pairs], cells)
    found = np.array(referrals, dtype=np.float64)
    for move, (source, target) in zip(moves, pairs, strict=True):
        moved = referrals[source] * move.by_month(months)[:, None]
        found[source] -= moved
        found[target] += moved
    # Shares that sum to 1 can leave a rounding error below zero.
    return np.maximum(found, 0.0, out=found)


def _pairs(move: TierMove, cells: pd.DataFrame) -> tuple[IntArray, IntArray]:
    """Rows of the cells that a move takes from, and of those it brings to."""
    text = cells[["locality", "age_band", "tier"]].astype(str)
    _check_known(move, "tier", (move.from_tier, move.to_tier), text["tier"])
    _check_known(move, "locality", move.localities, text["locality"])
    _check_known(move, "age band", move.age_bands, text["age_band"])
    inside = _within(text["locality"], move.localities) & _within(text["age_band"], move.age_bands)
    source = np.flatnonzero(inside & text["tier"].eq(move.from_tier).to_numpy())
    if not len(source):
        raise SpecError(f"{move.name}: no {move.from_tier} children are counted {_of(move)}. Correct it.")
    row_of = {key: row for row, key in enumerate(text.itertuples(index=False, name=None))}
    target = []
    for locality, age_band, _ in text.iloc[source].itertuples(index=False, name=None):
        if (locality, age_band, move.to_tier) not in row_of:
            raise SpecError(
                f"{move.name}: no {move.to_tier} children of ages {age_band} are counted in {locality}. Name the "
                "localities and age bands that have both tiers, or add a row of 0 for that one."
            )
        target.append(row_of[locality, age_band, move.to_tier])
    return source.astype(np.int64), np.array(target, dtype=np.int64)


def _check_known(move: TierMove, what: str, names: Sequence[str], column: pd.Series[str]) -> None:
    there = list(dict.fromkeys(column))
    if unlike := [name for name in names if name not in there]:
        raise SpecError(f"{move.name}: {what} {unlike[0]!r} is not known; known: {', '.join(there)}. Correct it.")


def _check_sums(moves: Sequence[TierMove], sources: Sequence[IntArray], cells: pd.DataFrame) -> None:
    """Refuse moves that take more out of a tier than is in it, once all are complete."""
    sent = np.zeros(len(cells))
    for move, source in zip(moves, sources, strict=True):
        sent[source] += move.share
    worst = int(np.argmax(sent))
    if sent[worst] <= 1 + ROUNDING:
        return
    those = [move for move, source in zip(moves, sources, strict=True) if worst in source]
    said = " and ".join(f"{move.share:g} to {move.to_tier}" for move in those)
    cell = cells.iloc[worst]
    raise SpecError(
        f"moves from {cell['tier']}: {said} come to {sent[worst]:g} of its referrals in {cell['locality']}, ages "
        f"{cell['age_band']}; at most 1 can go. Lower a share."
    )


def _within(column: pd.Series[str], names: Sequence[str]) -> BoolArray:
    return np.asarray(column.isin(names)) if names else np.ones(len(column), dtype=np.bool_)


def _of(move: TierMove) -> str:
    """Children a move is about."""
    return f"in {' and '.join(move.localities) or 'any locality'}, ages {' and '.join(move.age_bands) or 'of any band'}"


def _months(count: int) -> str:
    return f"{count} month" if count == 1 else f"{count} months"
