"""Sample paths around point forecasts, as wide as past errors say.

The width never comes from a model's own word. It comes from what the same model got wrong at its latest
origins, measured out of sample: `spread.annual` for annual series and for others in their first year,
`spread.seasonal` for those with a season, `spread.counts` for rare and low counts. Here each series is given to
its kind, and its paths are drawn when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from forecast.evaluate.origins import RollingPoints
from forecast.models.history import first_observed, last_observed
from forecast.panel import BoolArray, FloatArray, IntArray, Names, Window
from forecast.spread.annual import annual_spread
from forecast.spread.counts import count_spread
from forecast.spread.past import Spread, past_errors
from forecast.spread.seasonal import seasonal_spread


@dataclass(frozen=True)
class Spreads:
    """How far the errors of many series reach, each series in one of several spreads.

    Attributes
    ----------
    kinds : tuple of Spread
    kind : ndarray of int (n,)
        Which of `kinds` a series is in.
    row : ndarray of int (n,)
        Which row of that kind it is.
    """

    kinds: tuple[Spread, ...]
    kind: IntArray
    row: IntArray

    def rows(self, index: IntArray) -> Spreads:
        """Return the spreads of some series."""
        return Spreads(self.kinds, self.kind[index], self.row[index])

    @classmethod
    def of_rows(cls, measured: Mapping[str, Spreads], by: Names, index: IntArray) -> Spreads:
        """Return the spreads of the series `index`, each from the one of `measured` that `by` names."""
        kind, row = np.zeros((2, len(index)), dtype=np.int64)
        kinds: list[Spread] = []
        for name, spreads in measured.items():
            here = np.flatnonzero(by == name)
            kind[here] = spreads.kind[index[here]] + len(kinds)
            row[here] = spreads.row[index[here]]
            kinds.extend(spreads.kinds)
        return cls(tuple(kinds), kind, row)


def measured_spreads(rolling: RollingPoints, points: FloatArray, *, seen: int) -> Spreads:
    """Measure a model's errors at the origins whose outturn is known at another, later origin.

    Parameters
    ----------
    rolling : RollingPoints
    points : ndarray (K, n, h)
        The model's points at the origins of `rolling`.
    seen : int
        Periods the later origin sees; no outturn after them is used.

    Returns
    -------
    Spreads
    """
    window, horizon = rolling.window.until(seen), points.shape[2]
    past = past_errors(rolling, points, seen=seen)
    everything, n = np.arange(len(window.ids)), len(window.ids)
    if window.period == 1:
        return Spreads((annual_spread(window, past, horizon),), np.zeros(n, dtype=np.int64), everything)
    k = rolling.ends.index(seen)
    usable = rolling.usable[k]
    rare, means_below = _kinds(usable)
    length = last_observed(usable.values) - first_observed(usable.values) + 1
    first_year = (first_observed(usable.values) >= 0) & (length < window.period)
    young = length < 2 * window.period
    wanted = np.where(rare, "counts", np.where(first_year, "annual", "seasonal"))
    kind, position = np.empty((2, n), dtype=np.int64)
    kinds: list[Spread] = []
    for name in ("seasonal", "counts", "annual"):
        chosen = wanted == name
        rows = np.flatnonzero(chosen)
        if not len(rows):
            continue
        kind[rows], position[rows] = len(kinds), np.arange(len(rows))
        part = [pool.of(chosen, position) for pool in past]
        if name == "seasonal":
            kinds.append(seasonal_spread(window.rows(rows), part, means_below[rows], young[rows], horizon))
        elif name == "counts":
            kinds.append(count_spread(usable.rows(rows), part, points[k, rows]))
        else:
            kinds.append(annual_spread(usable.rows(rows), part, horizon))
    return Spreads(tuple(kinds), kind, position)


def _kinds(usable: Window) -> tuple[BoolArray, FloatArray]:
    """Tell which series are drawn as counts, and up to which level points are means (n,), as `engine.sparse` does."""
    from forecast.engine.sparse import is_rare, means_below
    from forecast.models.compiled import batch_of

    rare, below = np.zeros(len(usable.ids), dtype=np.bool_), np.zeros(len(usable.ids))
    batch, rows = batch_of(usable)
    rare[rows], below[rows] = is_rare(batch), means_below(batch)
    return rare, below


@dataclass(frozen=True)
class Draws:
    """Futures of many series, drawn when asked for: nothing but points and spreads is kept.

    A series' draws depend on its id and the seed, its pool's on the pool's name: neither on the order of
    rows, nor on other series, nor on which rows are drawn together.

    Attributes
    ----------
    ids : tuple of str, length n
    pools : ndarray of str (n,)
    points : ndarray (n, h)
        Taken as means of rare counts, else as medians; by degrees between, see `spread.seasonal`.
    spreads : Spreads
    n_paths, seed : int
    integer : bool
        Draw whole numbers: each path is rounded up with the chance of its fraction, so that means stay.
    """

    ids: tuple[str, ...]
    pools: Names
    points: FloatArray
    spreads: Spreads
    n_paths: int
    seed: int
    integer: bool = False

    def draw(self, rows: IntArray) -> FloatArray:
        """Return the paths of some series (rows, h, p), not negative."""
        from forecast.engine.paths import walk

        horizon = self.points.shape[1]
        generators = [_generator(self.ids[i], "own", self.seed) for i in rows]
        names, pools = np.unique(self.pools[rows], return_inverse=True)
        walks = [walk(_generator(str(name), "pool", self.seed), horizon, self.n_paths) for name in names]
        shared = np.reshape(walks, (len(names), horizon, self.n_paths))
        spreads = self.spreads.rows(rows)
        paths = np.empty((len(rows), horizon, self.n_paths))
        for kind in np.unique(spreads.kind):
            at = np.flatnonzero(spreads.kind == kind)
            paths[at] = spreads.kinds[kind].paths(
                spreads.row[at], self.points[rows[at]], pools[at], shared, [generators[i] for i in at]
            )
        if self.integer:
            for path, rng in zip(paths, generators, strict=True):
                np.floor(path + rng.random(path.shape), out=path)
        return paths


def _generator(name: str, role: str, seed: int) -> np.random.Generator:
    digest = blake2b(f"{role}:{name}".encode(), digest_size=16).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])
