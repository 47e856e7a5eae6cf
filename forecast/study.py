"""Study: models run once over the origins of a panel, then forecast and scored from the same points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.auto import Combination, combine, default_members
from forecast.errors import SpecError
from forecast.evaluate.metrics import STATISTICS, seasonal_naive_scale, statistics
from forecast.evaluate.origins import RollingPoints, evaluation_ends, origins_to_run, rolling_points
from forecast.intervals import Draws, Spreads, measured_spreads
from forecast.models.base import Model
from forecast.models.history import last_observed
from forecast.models.specs import ModelSpec, by_name, members_of, to_run
from forecast.panel import FloatArray, IntArray, Panel
from forecast.paths import LEDGER_COLUMNS, Forecast
from forecast.threads import thread_count

LADDER = (("drift", 4), ("naive", 2))
EVALUATION_PATHS = 400
ROWS_PER_BLOCK = 2000


@dataclass(frozen=True)
class Study:
    """Models run over the origins of one panel, ready to forecast and to be scored.

    Build it with `study_panel`; `forecast_panel` and `evaluate_panel` do both in one call.

    Attributes
    ----------
    panel : Panel
    rolling : RollingPoints
        Points of every model and combination at every origin.
    combinations : mapping of name to Combination
    max_gap : int
    """

    panel: Panel
    rolling: RollingPoints
    combinations: Mapping[str, Combination]
    max_gap: int

    def forecast(self, name: str, *, seed: int = 0, n_paths: int = 1000, integer: bool = False) -> Forecast:
        """Forecast from the end of the panel with one of the study's models.

        A series the model cannot answer is answered by the ladder (drift, then naive), which the ledger
        names, or by nothing: "not_enough_data".
        """
        window, horizon = self.rolling.window, self.rolling.horizon
        points, answered_by, ledger = self._answers(name)
        if seed < 0 or n_paths < 1:
            raise SpecError(f"seed {seed}, n_paths {n_paths}: seeds are not negative and at least 1 path is drawn.")
        by = np.asarray(answered_by)
        seen = window.values.shape[1]
        measured = {
            who: measured_spreads(self.rolling, self._calibrating(who), seen=seen) for who in sorted({name, *by} - {""})
        }
        kept = np.flatnonzero(by != "")
        draws = Draws(
            ids=tuple(window.ids[i] for i in kept),
            pools=window.pools[kept],
            points=points[kept],
            spreads=Spreads.of_rows(measured, by[kept], kept),
            n_paths=n_paths,
            seed=seed,
            integer=integer,
        )
        return Forecast(
            ids=draws.ids,
            ds=self.panel.future(horizon),
            paths=draws,
            keys=self.panel.keys,
            freq=self.panel.freq,
            ledger=ledger,
        )

    def _calibrating(self, name: str) -> FloatArray:
        """Points of a model whose errors are out of sample at every origin."""
        return self.combinations[name].calibrating if name in self.combinations else self.rolling.points[name]

    def _answers(self, name: str) -> tuple[FloatArray, list[str], pd.DataFrame]:
        window = self.rolling.window
        points = self.rolling.points[name][-1].copy()
        answered = np.isfinite(points).all(axis=1)
        observed, last = np.isfinite(window.values).sum(axis=1), last_observed(window.values)
        behind = window.values.shape[1] - 1 - last
        least, most = np.fmin.reduce(window.values, axis=1), np.fmax.reduce(window.values, axis=1)
        reasons = self._reasons(name)
        for i in np.flatnonzero(answered & (observed >= 2) & (least == most)):
            if "constant" not in reasons[i]:
                reasons[i] = f"constant at {least[i]:g}; {reasons[i]}".rstrip("; ")
        by, status = [name] * len(window.ids), ["ok"] * len(window.ids)
        for row in map(int, np.flatnonzero(~answered | (observed < 2) | (behind > self.max_gap))):
            made = self._climb(name, reasons[row], row, int(observed[row]), int(behind[row]))
            by[row], status[row], reasons[row] = made
            if by[row]:
                points[row] = self.rolling.points[by[row]][-1, row]
        last_ds = window.dates.to_numpy()[last]
        last_ds[last < 0] = np.datetime64("NaT")
        ledger = {
            "unique_id": window.ids,
            "model": [who or name for who in by],
            "status": status,
            "reason": reasons,
            "n_obs": observed,
            "last_ds": last_ds,
        }
        return points, by, pd.DataFrame(ledger, columns=list(LEDGER_COLUMNS))

    def _climb(self, name: str, reason: str, row: int, observed: int, behind: int) -> tuple[str, str, str]:
        """Say who answers for a series instead of the model: a step of the ladder, or nobody."""
        if observed and behind > self.max_gap:
            said = f"last figure {behind} periods before the origin; at most {self.max_gap} allowed"
            return "", "not_enough_data", said
        status = "failed" if reason.startswith("failed") else "short"
        for step, needed in LADDER:
            answered = np.isfinite(self.rolling.points[step][-1, row]).all()
            if answered and observed >= needed and (step != "drift" or self.panel.period == 1):
                return step, status, f"{name}: {reason}; answered by {step}"
        if observed >= 2:
            return "", status, f"{name}: {reason}; no step of the ladder answered"
        return "", "not_enough_data", f"{observed} figure{'s' * (observed != 1)}; at least 2 needed"

    def _reasons(self, name: str) -> list[str]:
        """Say how a model came to its answer for each series, or why it has none."""
        if name not in self.combinations:
            return [self.rolling.reasons.get((name, row), "") for row in range(len(self.rolling.window.ids))]
        made = self.combinations[name]
        texts = made.reasons()
        of_members: dict[int, dict[str, str]] = {}
        for (member, row), text in self.rolling.reasons.items():
            if member in made.members:
                of_members.setdefault(row, {})[member] = text
        for row, said in of_members.items():
            taken = {member for member, w in zip(made.members, made.weights[:, row, 0], strict=True) if w > 0}
            texts[row] = _with_members(texts[row], said, taken)
        return texts

    def cells(self, names: Sequence[str], *, origins: int, seed: int = 0) -> pd.DataFrame:
        """Score models at the latest `origins` origins.

        Returns
        -------
        DataFrame
            unique_id, model, origin, horizon, ds and the statistics of `forecast.evaluate.metrics`; one
            row where the model answered and the outturn is known.
        """
        window = self.rolling.window
        actual = self.rolling.outturn()
        parts = []
        for end in evaluation_ends(window.values.shape[1], origins):
            k = self.rolling.ends.index(end)
            scale = seasonal_naive_scale(window.values[:, :end], window.period)
            for name in names:
                points = self.rolling.points[name]
                scored = np.flatnonzero(np.isfinite(points[k]).all(axis=1) & np.isfinite(actual[k]).any(axis=1))
                if not len(scored):
                    continue
                spreads = measured_spreads(self.rolling, self._calibrating(name), seen=end)
                draws = Draws(window.ids, window.pools, points[k], spreads, n_paths=EVALUATION_PATHS, seed=seed)
                for first in range(0, len(scored), ROWS_PER_BLOCK):
                    rows = scored[first : first + ROWS_PER_BLOCK]
                    stats = statistics(actual[k, rows], draws.draw(rows), scale[rows])
                    parts.append(cell_rows(self.panel, name, end, rows, stats))
        return pd.concat(parts, ignore_index=True) if parts else no_cells()


def _with_members(text: str, said: Mapping[str, str], taken: Set[str]) -> str:
    """Add what members said of a series to where its weights come from."""
    failed = _grouped({member: why for member, why in said.items() if member not in taken and why.startswith("failed")})
    if not text:
        return f"failed: {'; '.join(_grouped(said))}" if failed else "; ".join(_grouped(said))
    notes = {member: why for member, why in said.items() if member in taken}
    told = list(dict.fromkeys(notes.values()))
    return "; ".join([text, *(told if len(told) == 1 else _grouped(notes)), *failed])


def _grouped(said: Mapping[str, str]) -> list[str]:
    """Give what members said, once if several said the same."""
    by_text: dict[str, list[str]] = {}
    for member, text in said.items():
        by_text.setdefault(text, []).append(member)
    return [f"{', '.join(members)} {text}" for text, members in by_text.items()]


def study_panel(
    panel: Panel,
    models: Mapping[str, ModelSpec] | Mapping[str, str | Model] | Sequence[ModelSpec],
    *,
    horizon: int,
    origins: int = 0,
    max_gap: int = 2,
    auto_members: Sequence[str | Model] | None = None,
    scope: Mapping[str, Sequence[str]] | None = None,
    executor: Executor | None = None,
) -> Study:
    """Run models over the origins of a panel.

    Parameters
    ----------
    panel : Panel
    models : sequence or mapping of name to spec
        A spec is a name, "auto", an instance, or a list of names and instances (their equal mean).
    horizon : int
        Periods ahead.
    origins : int, default 0
        Latest origins that will be scored; more are run so that each has past errors to calibrate on.
    max_gap : int, default 2
        Longest interior gap that is interpolated, and longest silence at the end of a series.
    auto_members : sequence of str or Model, optional
        Models that "auto" combines; default by season length.
    scope : mapping of model name to series ids, optional
        Series a model is run for; default all.
    executor : concurrent.futures.Executor, optional
        Where slow models run.

    Returns
    -------
    Study
    """
    if horizon < 1:
        raise SpecError(f"horizon {horizon}: at least 1 period is needed. Ask for 1 or more.")
    thread_count()
    specs = models if isinstance(models, Mapping) else by_name(models)
    in_auto = tuple(auto_members or default_members(panel.period))
    members = {name: members_of(name, spec, in_auto) for name, spec in specs.items()}
    single = to_run(members.values(), besides=[step for step, _ in LADDER])
    window = panel.window()
    position = {unique_id: i for i, unique_id in enumerate(window.ids)}
    rows: dict[str, IntArray] = {
        name: np.array(sorted(position[i] for i in ids if i in position), dtype=np.int64)
        for name, ids in (scope or {}).items()
    }
    if any(model.capability.uses_regressors for model in single.values()):
        window.regressors(horizon)
    ends, asked = origins_to_run(window, horizon=horizon, origins=origins)
    rolling = rolling_points(
        window, single, horizon=horizon, ends=ends, asked=asked, max_gap=max_gap, scope=rows, executor=executor
    )
    combinations = {
        name: combine(rolling, members[name], equal=spec != "auto")
        for name, spec in specs.items()
        if spec == "auto" or isinstance(spec, (list, tuple))
    }
    points = {**rolling.points, **{name: made.points for name, made in combinations.items()}}
    return Study(panel, replace(rolling, points=points), combinations, max_gap)


def cell_rows(panel: Panel, name: str, end: int, rows: IntArray, stats: Mapping[str, FloatArray]) -> pd.DataFrame:
    """Lay the statistics of one model at one origin out in rows, where the outturn is known."""
    horizon = stats["actual"].shape[1]
    ahead = pd.date_range(panel.dates[end - 1], periods=horizon + 1, freq=panel.freq)[1:]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.asarray(panel.ids, dtype=object)[rows], horizon),
            "model": name,
            "origin": panel.dates[end - 1],
            "horizon": np.tile(np.arange(1, horizon + 1), len(rows)),
            "ds": np.tile(ahead.to_numpy(), len(rows)),
            **{key: values.ravel() for key, values in stats.items()},
        }
    )
    return frame.dropna(subset=["actual"])


def no_cells() -> pd.DataFrame:
    """Return a table of cells without rows."""
    return pd.DataFrame(columns=["unique_id", "model", "origin", "horizon", "ds", *STATISTICS])
