"""What forecasts published waiting lists: ours, naive with the errors it has made, drift, and peers.

Every method sees the same months and answers for size and share with points and quantiles.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np
import pandas as pd

from experiments.la_scores import QUANTILES
from forecast.panel import FloatArray
from forecast.speech_language.list_panel import ListPanel
from forecast.speech_language.published import forecast_lists

MEASURES = ("size", "share")
OURS, NAIVE = "pooled", "naive"
RELATIVE, OF_SERIES = "naive, relative errors", "naive, own errors"
PEERS = ("AutoETS", "AutoTheta")
PEER_PACKAGE = "statsforecast"
LEVELS = (20, 40, 60, 80, 95)
HIGHEST = {"size": np.inf, "share": 100.0}
N_PATHS = 2000
SEED = 1


@dataclass(frozen=True, eq=False)
class Answer:
    """Forecasts of one measure.

    Attributes
    ----------
    points : ndarray (n, H)
    quantiles : ndarray (n, H, q)
        At `experiments.la_scores.QUANTILES`.
    """

    points: FloatArray
    quantiles: FloatArray


Answers = Mapping[str, Answer]
Method = Callable[[ListPanel, int], Answers]


def methods() -> dict[str, Method]:
    """All methods that can run here, in the order of the table."""
    own: dict[str, Method] = {
        OURS: pooled,
        NAIVE: partial(naive, relative=("size",)),
        RELATIVE: partial(naive, relative=MEASURES),
        OF_SERIES: partial(naive, relative=("size",), of_series=True),
        "drift": drift,
    }
    return own | ({name: partial(peer, name) for name in PEERS} if find_spec(PEER_PACKAGE) else {})


def figures(panel: ListPanel, measure: str) -> FloatArray:
    """Outturn (n, N): children waiting, or per cent over 18 weeks, NaN where nobody waits or bands are not known."""
    return panel.total if measure == "size" else panel.share


def pooled(panel: ListPanel, horizon: int) -> Answers:
    """`forecast.speech_language.published`."""
    made = forecast_lists(panel, horizon=horizon, n_paths=N_PATHS, seed=SEED)
    return {
        measure: Answer(points, np.moveaxis(np.quantile(paths, QUANTILES, axis=2), 0, 2))
        for measure, points, paths in (
            ("size", made.size, made.size_paths),
            ("share", made.share, made.share_paths),
        )
    }


def naive(panel: ListPanel, horizon: int, *, relative: tuple[str, ...], of_series: bool = False) -> Answers:
    """Carry the last figure on, with the quantiles of the errors that has made so far.

    Parameters
    ----------
    panel : ListPanel
    horizon : int
    relative : tuple of str
        Measures whose errors are taken relative to the figure; of the others in units.
    of_series : bool
        Each series by its own errors; else all together.

    Notes
    -----
    Of the same horizon; where the months do not hold one, of the longest they hold, grown by the root of the horizon.
    """
    return {
        measure: _with_errors(carried(figures(panel, measure)), 0.0, horizon, measure, measure in relative, of_series)
        for measure in MEASURES
    }


def drift(panel: ListPanel, horizon: int) -> Answers:
    """Carry the mean change so far on, with the errors that naive has made."""
    answers = {}
    for measure in MEASURES:
        values = carried(figures(panel, measure))
        slope = pd.DataFrame(np.diff(values, axis=1)).mean(axis=1).fillna(0.0).to_numpy()
        answers[measure] = _with_errors(values, slope, horizon, measure, measure == "size", False)
    return answers


def peer(name: str, panel: ListPanel, horizon: int) -> Answers:
    """Fit a model of statsforecast to each series, with its own intervals; where it cannot, its naive answers."""
    import statsforecast
    import statsforecast.models as fitters

    logging.disable(logging.CRITICAL)
    answers = {}
    for measure in MEASURES:
        values = carried(figures(panel, measure))
        n_months = len(panel.months)
        long = {"unique_id": np.repeat(panel.ids, n_months), "ds": np.tile(panel.months, len(panel.ids))}
        frame = pd.DataFrame({**long, "y": values.ravel()}).dropna()
        engine = statsforecast.StatsForecast(
            models=[getattr(fitters, name)(season_length=1, alias=name)],
            freq="MS",
            n_jobs=1,
            fallback_model=fitters.Naive(),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = engine.forecast(df=frame, h=horizon, level=list(LEVELS)).set_index("unique_id")
        below, above = ([f"{name}-{side}-{level}" for level in LEVELS] for side in ("lo", "hi"))
        made = table.loc[list(panel.ids), [*reversed(below), name, *above]].to_numpy(dtype=np.float64)
        quantiles = made.reshape(len(panel.ids), horizon, len(QUANTILES))
        points = quantiles[:, :, len(LEVELS)]
        width = np.where(np.isfinite(quantiles), quantiles, points[:, :, None])  # no interval of a fit without errors
        limit = HIGHEST[measure]
        answers[measure] = Answer(np.clip(points, 0, limit), np.clip(width, 0, limit))
    return answers


def carried(values: FloatArray) -> FloatArray:
    """Carry the last known figure of each row into months without one (n, N); NaN before the first."""
    return pd.DataFrame(values.T).ffill().to_numpy().T


def _with_errors(
    values: FloatArray, slope: FloatArray | float, horizon: int, measure: str, relative: bool, of_series: bool
) -> Answer:
    """Give points from the last figures the quantiles of past errors of naive."""
    points, quantiles = [], []
    for ahead in range(1, horizon + 1):
        reach = min(ahead, values.shape[1] - 1)
        before, after = values[:, :-reach], values[:, reach:]
        base = np.where(before > 0, before, np.nan) if relative else 1.0
        errors = (after - before) / base * np.sqrt(ahead / reach)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            at = np.nanquantile(errors, QUANTILES, axis=1).T if of_series else np.nanquantile(errors, QUANTILES)
        point = values[:, -1] + ahead * slope
        spread = np.broadcast_to(np.nan_to_num(at), (len(values), len(QUANTILES)))
        points.append(np.clip(point, 0, HIGHEST[measure]))
        scale = values[:, -1:] if relative else 1.0
        quantiles.append(np.clip(point[:, None] + scale * spread, 0, HIGHEST[measure]))
    return Answer(np.stack(points, axis=1), np.stack(quantiles, axis=1))
