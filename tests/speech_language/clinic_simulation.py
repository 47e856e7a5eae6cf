"""An oracle of the waiting list: one clinic, children one by one, in continuous time.

Children come by chance, one at a time, and each has a patience that is used up at the rate that goes with its wait.
First contacts are evenly spaced, and each is given to one child: to the one that has waited longest, if it is among the
long waiters and the contact is kept for them, or else to any that waits, with equal chances.
"""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass

COMES, LEAVES, CONTACT, LOOK = range(4)
LOOK_EVERY = 4


@dataclass(frozen=True)
class Clinic:
    """`leaving` is (from week, share that leaves in a week); `opening` children by whole weeks waited."""

    referrals: float
    contacts: float
    for_long: float
    over_weeks: float
    leaving: tuple[tuple[float, float], ...]
    opening: tuple[int, ...]


@dataclass
class Day:
    """What a replication gave: waits at each look, sorted; children seen and gone between looks; contacts not used."""

    waits: list[list[float]]
    seen: list[int]
    gone: list[int]
    unused: list[int]


def simulate(clinic: Clinic, *, weeks: int, seed: int) -> Day:
    """Run the clinic once, looking at its list every four weeks."""
    return Replication(clinic, weeks, random.Random(seed)).run()


class Replication:
    """Events wait in a heap; who waits is kept in order of coming, and once more for drawing one at random."""

    def __init__(self, clinic: Clinic, weeks: int, chance: random.Random) -> None:
        self.clinic, self.weeks, self.chance = clinic, weeks, chance
        self.came: list[float] = []
        self.place: list[int] = []  # of each child in `here`, -1 when gone
        self.here: list[int] = []
        self.first = 0  # all children before this one are gone
        self.events: list[tuple[float, int, int]] = []
        ends = [start for start, _ in clinic.leaving[1:]] + [math.inf]
        self.rates = [
            (start, end, -math.log1p(-share)) for (start, share), end in zip(clinic.leaving, ends, strict=True)
        ]

    def run(self) -> Day:
        clinic, chance = self.clinic, self.chance
        waited = sorted(
            (week + chance.random() for week, n in enumerate(clinic.opening) for _ in range(n)), reverse=True
        )
        for wait in waited:
            self.join(-wait)
        looks = self.weeks // LOOK_EVERY
        told = Day([], [0] * looks, [0] * looks, [0] * looks)
        self.later(chance.expovariate(clinic.referrals), COMES)
        self.later(chance.random() / clinic.contacts, CONTACT)
        self.later(float(LOOK_EVERY), LOOK)
        while len(told.waits) < looks:
            now, what, child = heapq.heappop(self.events)
            block = len(told.waits)
            if what == COMES:
                self.join(now)
                self.later(now + chance.expovariate(clinic.referrals), COMES)
            elif what == LEAVES and self.place[child] >= 0:
                self.drop(child)
                told.gone[block] += 1
            elif what == CONTACT:
                self.later(now + 1 / clinic.contacts, CONTACT)
                if self.here:
                    self.drop(self.chosen(now))
                    told.seen[block] += 1
                else:
                    told.unused[block] += 1
            elif what == LOOK:
                told.waits.append(sorted(now - self.came[child] for child in self.here))
                self.later(now + LOOK_EVERY, LOOK)
        return told

    def later(self, when: float, what: int, child: int = -1) -> None:
        heapq.heappush(self.events, (when, what, child))

    def join(self, came: float) -> None:
        child = len(self.came)
        self.came.append(came)
        self.place.append(len(self.here))
        self.here.append(child)
        leaves = came + self.patience(max(-came, 0.0))
        if leaves < self.weeks:
            self.later(leaves, LEAVES, child)

    def patience(self, waited: float) -> float:
        """Draw the wait at which a child leaves if it is not seen before, given that it has waited so long."""
        left = self.chance.expovariate(1.0)
        for start, end, rate in self.rates:
            begin = max(start, waited)
            if end > begin and rate > 0.0:
                if left <= rate * (end - begin):
                    return begin + left / rate
                left -= rate * (end - begin)
        return math.inf

    def chosen(self, now: float) -> int:
        while self.place[self.first] < 0:
            self.first += 1
        long_enough = now - self.came[self.first] >= self.clinic.over_weeks
        if long_enough and self.chance.random() < self.clinic.for_long:
            return self.first
        return self.chance.choice(self.here)

    def drop(self, child: int) -> None:
        at, last = self.place[child], self.here.pop()
        if last != child:
            self.here[at] = last
            self.place[last] = at
        self.place[child] = -1
