"""How long the steps of an EHC needs assessment take: lags in weeks since the request.

Three published shares say how an area stands against the clock: decided within 6 weeks, and plans issued within 20
weeks, by a year, and later. `KNOWN_FROM` of England's are added to them, as few plans say little. The lags here meet
all of them exactly, and are sensible between:

- *decision*: even over weeks 1 to 6, then a constant chance each week;
- *issue*: even over weeks 9 to 20, then a constant chance each week that joins the published shares, and a thinning
  tail after the year;
- *unhindered*: what the process takes where nothing holds it up: all of it in weeks 9 to 20, 14.5 on average. Areas
  that issued nine plans in ten within 20 weeks had about 12 weeks' worth of agreed assessments in hand (ends of 2016 to
  2021, SEN2 aggregate returns), and those that decided nine in ten within 6 weeks 3 weeks' worth of requests (2023).

A child late at one step is late at the next: the lags are ranked alike, and advice takes at least 6 weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forecast.ehc.figures import Figures
from forecast.errors import SpecError
from forecast.panel import FloatArray, IntArray

DECISION_DUE, PLAN_DUE, YEAR, LONGEST = 6, 20, 52, 104
FIRST_DECISION, FIRST_PLAN = 1, 9
LONGEST_DECISION = 26
ADVICE = 6
# Published shares: the part, what it is a part of, and what stands in where neither area nor England has one.
PUBLISHED = (
    (
        "decisions within 6 weeks",
        "decisions_within_6_weeks",
        ("decisions_within_6_weeks", "decisions_over_6_weeks"),
        0.85,
    ),
    ("plans within 20 weeks", "plans_20_week_within", ("plans_20_week_den",), 0.5),
    ("late plans that took over a year", "plans_over_year", ("plans_20_week_to_year", "plans_over_year"), 0.1),
)
# Decisions, or plans, of England's share added to an area's own; an assumption: shares of few plans say little.
KNOWN_FROM = 20
TELLING = 0.05  # a share moved by more than this is said in a note
LATE_DECISIONS = 0.25  # share of the undecided decided a week after the sixth: near England's share undecided
SLOWEST, FASTEST = 0.04, 0.5  # share of the waiting completed a week, after the year


@dataclass(frozen=True, eq=False)
class Lags:
    """Lags of an area.

    Attributes
    ----------
    decided_within_6, issued_within_20, issued_by_year : float
        Shares: of decisions, and of plans (the last counts those within 20 weeks too).
    notes : tuple of str
        Where a figure of the area was missing, what stands in.

    Raises
    ------
    SpecError
        A share that is not between 0 and 1, or more within 20 weeks than by the year.
    """

    decided_within_6: float
    issued_within_20: float
    issued_by_year: float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("decided_within_6", "issued_within_20", "issued_by_year"):
            if not 0 <= getattr(self, name) <= 1:
                raise SpecError(f"lags: {name} {getattr(self, name)}: a share is between 0 and 1. Mend it.")
        if self.issued_within_20 > self.issued_by_year:
            raise SpecError(
                f"lags: {self.issued_within_20} of plans within 20 weeks but {self.issued_by_year} by the year: the "
                "later share holds the earlier. Mend one."
            )

    @cached_property
    def issue(self) -> FloatArray:
        """Chance of a plan in each week since the request, 0 to LONGEST."""
        chance = np.zeros(LONGEST + 1)
        chance[FIRST_PLAN : PLAN_DUE + 1] = self.issued_within_20 / (PLAN_DUE + 1 - FIRST_PLAN)
        left, over = 1 - self.issued_within_20, 1 - self.issued_by_year
        span = YEAR - PLAN_DUE
        rate = 1 - (max(over, 0.005 * left) / left) ** (1 / span) if left else FASTEST
        chance[PLAN_DUE + 1 : YEAR + 1] = (left - over) * _thinning(rate, span)
        chance[YEAR + 1 :] = over * _thinning(min(max(rate, SLOWEST), FASTEST), LONGEST - YEAR)
        return chance

    @cached_property
    def decision(self) -> FloatArray:
        """Chance of a decision in each week since the request, 0 to LONGEST_DECISION.

        Late decisions come early enough for the plans that are issued in time.
        """
        chance = np.zeros(LONGEST_DECISION + 1)
        chance[FIRST_DECISION : DECISION_DUE + 1] = self.decided_within_6 / (DECISION_DUE + 1 - FIRST_DECISION)
        chance[DECISION_DUE + 1 :] = (1 - self.decided_within_6) * _thinning(
            LATE_DECISIONS, LONGEST_DECISION - DECISION_DUE
        )
        needed = np.cumsum(self.issue)[ADVICE : ADVICE + LONGEST_DECISION + 1]
        reached = np.maximum(np.cumsum(chance), needed)
        reached[-1] = 1.0
        return np.diff(reached, prepend=0.0)

    @cached_property
    def unhindered(self) -> FloatArray:
        """Chance of completion in each week since the request, 0 to LONGEST, where nothing holds a case up."""
        even = np.clip((np.arange(LONGEST + 1) - FIRST_PLAN + 1) / (PLAN_DUE + 1 - FIRST_PLAN), 0.0, 1.0)
        advised = np.ones(LONGEST + 1)
        advised[: ADVICE + LONGEST_DECISION + 1] = np.concatenate([np.zeros(ADVICE), np.cumsum(self.decision)])
        return np.diff(np.minimum(even, advised), prepend=0.0)

    def ranked(self) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
        """Return weeks to the decision, to unhindered completion and to issue, and the chance of each three (n,)."""
        reached = [np.cumsum(lag) for lag in (self.decision, self.unhindered, self.issue)]
        ends = np.unique(np.concatenate([np.clip(each, 0.0, 1.0) for each in reached] + [np.array([1.0])]))
        ends = ends[np.concatenate([np.diff(ends) > 1e-12, [True]])]
        ends = ends[ends > 1e-12]
        starts = np.concatenate([[0.0], ends[:-1]])
        middle = (starts + ends) / 2
        weeks = [np.minimum(np.searchsorted(each, middle), len(each) - 1) for each in reached]
        return weeks[0], weeks[1], weeks[2], ends - starts


def fitted_lags(figures: Figures, code: str) -> Lags:
    """Fit the lags of an area to its latest published shares; England's stand in where it has none.

    Parameters
    ----------
    figures : Figures
    code : str
        Of the area.
    """
    none = pd.Series(dtype=np.float64)
    shares, notes = [], []
    for name, part, whole, standard in PUBLISHED:
        england = _latest(*(figures.national.get(measure, none) for measure in (part, *whole)))
        expected = england[0] / england[1] if england else standard
        own = _latest(*(figures.line(measure, code) for measure in (part, *whole)))
        share = (own[0] + KNOWN_FROM * expected) / (own[1] + KNOWN_FROM) if own else expected
        shares.append(float(np.clip(share, 0.0, 1.0)))
        if not own:
            notes.append(
                f"The area has no usable share of {name}: {'that of England' if england else 'an assumed one'}, "
                f"{share:.0%}, stands in."
            )
        elif abs(share - own[0] / own[1]) > TELLING:
            notes.append(
                f"The area's share of {name}, {own[0] / own[1]:.0%} of {own[1]:,.0f}, counts as {share:.0%}: it is "
                f"shrunk to England's {expected:.0%}, as few say little."
            )
    decided, within, over = shares
    return Lags(decided, within, min(within + (1 - within) * (1 - over), 1.0), tuple(notes))


def _latest(part: pd.Series, *whole: pd.Series) -> tuple[float, float] | None:
    """Part and whole of the latest year that has the part and all of the whole; None without one."""
    table = pd.concat([part, *whole], axis=1).dropna().sort_index().to_numpy(dtype=np.float64)
    table = table[table[:, 1:].sum(axis=1) > 0]
    return (float(table[-1, 0]), float(table[-1, 1:].sum())) if len(table) else None


def _thinning(rate: float, weeks: int) -> FloatArray:
    """Shares of some weeks (weeks,), each less than the one before by a rate; they sum to 1."""
    falling = (1 - rate) ** np.arange(weeks)
    shares: FloatArray = falling / falling.sum()
    return shares
