"""An oracle of the pipeline: every fraction of a child followed on its own, slowly, one path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.ehc.flow import CLEARING, REJOIN
from forecast.ehc.lags import DECISION_DUE, PLAN_DUE, Lags
from forecast.ehc.opening import Opening
from forecast.ehc.rates import WeeklyRates
from forecast.ehc.weeks import EARLIER_WEEKS, Weeks
from forecast.panel import FloatArray

LONG_AGO = -9_999
SUMS = ("refused", "agreed", "in_six_weeks", "overturned", "completed", "issued", "within", "waiting", "over")
Known = tuple[int, int, int, int, float]  # week asked; weeks to the decision, readiness and plan; size


@dataclass
class Case:
    """A fraction of a child; weeks count from the first."""

    size: float
    age: int
    asked: int
    entered: int
    ready: int
    issued: int
    timed: bool


class OneByOne:
    """Knows weeks, rates and lags, but neither groups nor stretches of constant rates."""

    def __init__(
        self,
        requests: FloatArray,
        weeks: Weeks,
        rates: WeeklyRates,
        lags: Lags,
        opening: Opening,
        times: FloatArray,
        capacity: FloatArray | None,
    ) -> None:
        self.times = times
        self.requests, self.weeks, self.rates, self.lags, self.opening = requests, weeks, rates, lags, opening
        self.n_weeks = len(weeks.year)
        self.capacity = np.full(len(weeks.months), np.inf) if capacity is None else capacity
        limited = np.isfinite(self.capacity[weeks.month])
        self.start = int(np.argmax(limited)) if limited.any() else self.n_weeks
        self.triples = list(zip(*(each.tolist() for each in lags.ranked()), strict=True))
        years, ages = len(weeks.years), requests.shape[1]
        self.out = {name: np.zeros(years) for name in SUMS} | {"issued_by_age": np.zeros((years, ages))}
        self.back = np.zeros((self.n_weeks, ages))
        self.cases: list[Case] = []
        self.finished: list[tuple[float, int, int]] = []

    def told(self) -> dict[str, FloatArray]:
        """Return figures by year."""
        made = np.convolve(self.weeks.earlier, self.lags.decision)[:EARLIER_WEEKS][-REJOIN:]
        for age in range(self.requests.shape[1]):
            self.take_over(age)
            for w in range(self.n_weeks):
                self.ask(self.requests[self.weeks.year[w], age] * self.weeks.share[w] * self.times[w, age], age, w)
            for w in range(REJOIN):
                self.rejoin(self.opening.appeals[age] * made[w] / made.sum(), age, w)
        for week, age in np.argwhere(self.back):
            for decision, ready, issue, chance in self.triples:
                after = (int(week) + ready - decision, int(week) + issue - decision)
                self.cases.append(Case(self.back[week, age] * chance, int(age), LONG_AGO, int(week), *after, False))
        self.complete_at_own_lag()
        self.serve()
        for y in range(len(self.weeks.years)):
            self.count(y, int(np.flatnonzero(self.weeks.year == y)[-1]))
        return self.out

    def take_over(self, age: int) -> None:
        """Carry on what is open at the start: what the lags hold at their pace, the excess in its turn."""
        o = self.opening
        for case in self.open_cases(o.undecided[age] * (o.undecided_weeks - o.undecided_excess), decided=False):
            self.decide(case, age, case[0] + case[1], 0)
        for case in self.open_cases(o.assessing[age] * (o.assessing_weeks - o.assessing_excess), decided=True):
            asked, decision, ready, issue, size = case
            self.cases.append(Case(size, age, asked, asked + decision, asked + ready, asked + issue, True))
        for case, week in self.turns(self.open_cases(o.undecided[age] * o.undecided_excess, decided=False)):
            self.decide(case, age, max(week, case[0] + max(case[1], DECISION_DUE + 1)), PLAN_DUE + 1)
        waiting = self.open_cases(o.assessing[age] * o.assessing_excess, decided=True)
        for case, week in self.turns(sorted(waiting, key=lambda each: each[0] + each[2])):
            asked, decision, ready, _, size = case
            done = max(week, asked + ready, asked + PLAN_DUE + 1)
            self.cases.append(Case(size, age, asked, asked + decision, asked + ready, done, True))

    def open_cases(self, sizes: FloatArray, *, decided: bool) -> list[Known]:
        """Say how far cases of before the start, by week of the request, can have come by then."""
        found: list[Known] = []
        for k, size in enumerate(sizes):
            ago = EARLIER_WEEKS - k
            possible = [t for t in self.triples if (t[0] < ago <= t[2] if decided else t[0] >= ago)] if size else []
            whole = sum(t[3] for t in possible)
            found += [(-ago, t[0], t[1], t[2], size * t[3] / whole) for t in possible]
        return found

    def turns(self, cases: list[Known]) -> list[tuple[Known, int]]:
        """Work off as much each week, in order."""
        quota = sum(case[4] for case in cases) / CLEARING
        found: list[tuple[Known, int]] = []
        week, room = 0, quota
        for asked, decision, ready, issue, size in cases:
            left = size
            while left > 1e-12:
                part = min(left, room) if week < CLEARING - 1 else left
                found.append(((asked, decision, ready, issue, part), week))
                left, room = left - part, room - part
                if room <= 1e-12 * quota and week < CLEARING - 1:
                    week, room = week + 1, quota
        return found

    def ask(self, size: float, age: int, week: int) -> None:
        """Decide on requests of a week."""
        for decision, ready, issue, chance in self.triples if size else []:
            self.decide((week, decision, ready, issue, size * chance), age, week + decision, 0)

    def decide(self, case: Known, age: int, at: int, soonest: int) -> None:
        """Refuse, withdraw or agree in a week; what follows takes as long as it does, from the decision on."""
        asked, decision, ready, issue, size = case
        if at >= self.n_weeks:
            return
        refused = size * self.rates.refusal[at, age]
        agreed = size - refused - size * self.rates.withdrawal[at, age]
        self.out["refused"][self.weeks.year[at]] += refused
        self.out["agreed"][self.weeks.year[at]] += agreed
        self.out["in_six_weeks"][self.weeks.year[at]] += size * (at - asked <= DECISION_DUE)
        done = max(at + issue - decision, asked + soonest)
        self.cases.append(Case(agreed, age, asked, at, at + ready - decision, done, True))
        self.rejoin(refused * self.rates.overturned[at], age, at + REJOIN)

    def rejoin(self, size: float, age: int, week: int) -> None:
        """Note an overturned refusal that joins in a week."""
        if week >= self.n_weeks:
            return
        self.out["overturned"][self.weeks.year[week]] += size
        self.back[week, age] += size

    def complete_at_own_lag(self) -> None:
        """Complete whatever ends before a capacity begins."""
        for case in self.cases:
            if case.issued < min(self.start, self.n_weeks):
                self.finish(case, 1.0, case.issued)

    def serve(self) -> None:
        """Serve the rest in the order of readiness; those who became ready in the same week alike."""
        by_week: dict[int, list[Case]] = {}
        for case in self.cases:
            if case.issued >= self.start:
                by_week.setdefault(case.ready, []).append(case)
        waiting, left, used = sorted(by_week), 1.0, 0.0
        for w in range(self.start, self.n_weeks):
            in_month = np.flatnonzero(self.weeks.month == self.weeks.month[w])
            used = 0.0 if w in (in_month[0], self.start) else used
            may = self.capacity[self.weeks.month[w]] * (w - in_month[0] + 1) / len(in_month) - used
            while waiting and waiting[0] <= w and may > 1e-12:
                alike = by_week[waiting[0]]
                size = sum(case.size for case in alike)
                share = min(left, may / size) if size else left
                for case in alike:
                    self.finish(case, share, w)
                used, may, left = used + size * share, may - size * share, left - share
                if left <= 0:
                    waiting, left = waiting[1:], 1.0

    def finish(self, case: Case, share: float, week: int) -> None:
        """Complete a share of a case."""
        year, size = self.weeks.year[week], case.size * share
        plans = size * (1 - self.rates.no_plan[week, case.age])
        self.out["completed"][year] += size
        self.out["issued"][year] += plans
        self.out["issued_by_age"][year, case.age] += plans
        self.out["within"][year] += plans * (case.timed and week - case.asked <= PLAN_DUE)
        self.finished.append((size, case.asked, week))

    def count(self, year: int, end: int) -> None:
        """Count who waits at the end of a week, and who of them asked over 20 weeks ago."""
        inside = [(case.size, case.asked) for case in self.cases if case.entered <= end]
        gone = [(size, asked) for size, asked, week in self.finished if week <= end]
        for name, latest in (("waiting", end), ("over", end - PLAN_DUE - 1)):
            came, left = (sum(size for size, asked in each if asked <= latest) for each in (inside, gone))
            self.out[name][year] = came - left
