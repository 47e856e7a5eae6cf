"""Tables of figures: a caption that says which of them were made up, and the periods the section speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from forecast.publish.speech_language.run import (
    MONTHS_A_YEAR,
    PAST,
    YEARLY,
    Figure,
    Figures,
    SpeechLanguageRun,
)
from forecast.publish.speech_language.words import Kind, cell, tag
from forecast.publish.view import Group, Row, Table
from forecast.publish.words import LIKELY

RANGED = f"with the {LIKELY} range"
HALF_A_YEAR = 6


@dataclass(frozen=True)
class Line:
    """A row of figures under its heading."""

    head: str
    figures: tuple[Figure | None, ...]
    strong: bool = False


def figures_table(
    caption: str,
    columns: Sequence[str],
    groups: Sequence[tuple[str, Sequence[Line]]],
    kinds: Sequence[Kind],
    *,
    ranged: bool = True,
) -> Table | None:
    """Return a table of figures, or None if there is none.

    Parameters
    ----------
    caption : str
        Gets "with the 4 in 5 range" and, where figures were made up, says so.
    columns : sequence of str
    groups : sequence of (str, sequence of Line)
        Rows under their title; lines and columns without a figure are left out.
    kinds : sequence of Kind
        One for all columns, or one a column of figures.
    ranged : bool
        Whether each figure has its range beside it.
    """
    each = list(kinds) * (len(columns) - 1) if len(kinds) == 1 else list(kinds)
    told = [(title, [line for line in lines if any(line.figures)]) for title, lines in groups]
    known = [figure for _, lines in told for line in lines for figure in line.figures]
    kept = [i for i in range(len(each)) if any(line.figures[i] for _, lines in told for line in lines)]
    if not kept:
        return None
    shown = tuple(
        Group(
            title,
            tuple(
                Row(line.head, tuple(cell(line.figures[i], each[i], ranged=ranged) for i in kept), line.strong)
                for line in lines
            ),
        )
        for title, lines in told
        if lines
    )
    heads = (columns[0], *(columns[i + 1] for i in kept))
    return Table(f"{caption}{f', {RANGED}' if ranged else ''}{tag(known)}", heads, shown)


@dataclass(frozen=True)
class Periods:
    """The periods the section speaks of.

    Attributes
    ----------
    known_years : tuple of Timestamp
        Starts of the academic years whose referrals are all known.
    next_year : Timestamp or None
        Start of the first projected one after the last known waiting list.
    years : tuple of Timestamp
        Starts of the whole projected academic years.
    goal : Timestamp
        Month by which the target is to be met, or the last one if the projection ends before.
    months : tuple of Timestamp
        The last known month, then every half year as far from that of the target, then the last one.
    """

    known_years: tuple[pd.Timestamp, ...]
    next_year: pd.Timestamp | None
    years: tuple[pd.Timestamp, ...]
    goal: pd.Timestamp
    months: tuple[pd.Timestamp, ...]


def periods_of(slt: SpeechLanguageRun, figures: Figures) -> Periods:
    """Find the periods of a run."""
    rows = figures.series("referrals", freq=YEARLY)
    known = rows["status"].isin(PAST)
    whole = rows["ds"].le(slt.last - pd.DateOffset(months=MONTHS_A_YEAR - 1))
    past, ahead = tuple(rows[known]["ds"]), tuple(rows[~known & whole]["ds"])
    later = [start for start in ahead if start > slt.known_to]
    goal = slt.goal.by if slt.first <= slt.goal.by <= slt.last else slt.last
    projected = pd.date_range(slt.first, slt.last, freq="MS")
    shown = [month for month in projected if (month.month - goal.month) % HALF_A_YEAR == 0]
    months = sorted({slt.known_to, *shown, goal, slt.last})
    return Periods(
        known_years=past,
        next_year=next(iter(later or ahead), None),
        years=ahead,
        goal=goal,
        months=tuple(months),
    )
