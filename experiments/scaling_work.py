"""What the scaling experiment does in processes of its own: synthetic series, and what forecasting them costs."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.benchmark_models import peak_memory
from forecast import Panel, forecast_panel

MONTHS, HORIZON, PATHS = 84, 12, 500
REGIONS = 40
SPARSE_EVERY, LATE_EVERY = 5, 20
WARMING_SERIES = 40
ONE_SERIES_CALLS = 5
SEED = 2024


@dataclass(frozen=True)
class Measured:
    """What one size cost, warm, in a process of its own.

    Attributes
    ----------
    series : int
    panel, forecast, frame : float
        Wall seconds of `Panel.from_frame`, `forecast_panel` and `to_frame`.
    cpu : float
        Processor seconds of the three.
    memory : float
        Peak of the process in MB, the long table it starts from included.
    digest : str
        Of the frame.
    """

    series: int
    panel: float
    forecast: float
    frame: float
    cpu: float
    memory: float
    digest: str

    @property
    def seconds(self) -> float:
        """Wall seconds from the long table to the frame."""
        return self.panel + self.forecast + self.frame

    @property
    def rate(self) -> float:
        """Series a second."""
        return self.series / self.seconds


@dataclass(frozen=True)
class Start:
    """What a first call costs, and a small one.

    Attributes
    ----------
    compiling, cached : float
        Wall seconds of the first call in a fresh process: with nothing compiled, and with all of it on disk.
    one_series : float
        Milliseconds of a warm call for one series.
    same : bool
        Whether one thread and two give the same frame.
    """

    compiling: float
    cached: float
    one_series: float
    same: bool


def synthetic(n: int, *, seed: int = SEED) -> pd.DataFrame:
    """Make up a long table of monthly counts: unique_id, ds, y and the key column region.

    Parameters
    ----------
    n : int
        Series.
    seed : int
    """
    rng = np.random.default_rng(seed)
    month = np.arange(MONTHS)
    number = np.arange(n)
    sparse, late = number % SPARSE_EVERY == 0, number % LATE_EVERY == 1
    level = np.where(sparse, rng.uniform(0.03, 0.7, n), np.exp(rng.uniform(np.log(8), np.log(3_000), n)))
    strength, phase, growth = rng.uniform(0, 0.4, n), rng.uniform(0, 12, n), rng.normal(0.02, 0.05, n)
    rate = np.cos(2 * np.pi * (month - phase[:, None]) / 12)
    rate *= strength[:, None]
    rate += growth[:, None] * (month / 12)
    np.exp(rate, out=rate)
    rate *= level[:, None]
    counts = rng.poisson(rate).astype(np.float64)
    kept = np.ones((n, MONTHS), dtype=np.bool_)
    kept[late, : MONTHS // 2] = False
    row, column = np.nonzero(kept)
    ids = pd.Index([f"synthetic{i:06d}" for i in number], dtype=str)
    regions = pd.Index([f"region{i:02d}" for i in number % REGIONS], dtype=str)
    dates = pd.date_range("2018-01-01", periods=MONTHS, freq="MS")
    return pd.DataFrame({"unique_id": ids[row], "ds": dates[column], "y": counts[kept], "region": regions[row]})


def measure(n: int, model: str, paths: int = PATHS) -> Measured:
    """Forecast a panel of `n` series, warm; to be called in a fresh process."""
    end_to_end(synthetic(WARMING_SERIES), model, paths)
    table = synthetic(n)
    marks, cpu = [time.perf_counter()], time.process_time()
    panel = Panel.from_frame(table, freq="MS")
    marks.append(time.perf_counter())
    made = forecast_panel(panel, horizon=HORIZON, model=model, seed=SEED, n_paths=paths)
    marks.append(time.perf_counter())
    frame = made.to_frame()
    marks.append(time.perf_counter())
    cpu = time.process_time() - cpu
    for_panel, for_forecast, for_frame = map(float, np.diff(marks))
    return Measured(n, for_panel, for_forecast, for_frame, cpu, peak_memory(), digest(frame))


def end_to_end(table: pd.DataFrame, model: str, paths: int = PATHS) -> pd.DataFrame:
    """Return the frame of a forecast of a long table."""
    panel = Panel.from_frame(table, freq="MS")
    return forecast_panel(panel, horizon=HORIZON, model=model, seed=SEED, n_paths=paths).to_frame()


def digest(frame: pd.DataFrame) -> str:
    """Return a digest of every figure of a frame."""
    return hashlib.sha256(pd.util.hash_pandas_object(frame).to_numpy().tobytes()).hexdigest()


def first_call(model: str) -> float:
    """Return wall seconds of a first call; to be called in a fresh process."""
    table = synthetic(WARMING_SERIES)
    start = time.perf_counter()
    end_to_end(table, model)
    return time.perf_counter() - start


def one_series(model: str) -> float:
    """Return milliseconds of a warm call for one series, the best of a few."""
    table = synthetic(2).query("unique_id == 'synthetic000001'")
    seconds = []
    for _ in range(ONE_SERIES_CALLS + 1):
        start = time.perf_counter()
        end_to_end(table, model)
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds[1:])


def frame_digest(n: int, model: str) -> str:
    """Return the digest of the frame of `n` series."""
    return digest(end_to_end(synthetic(n), model))
