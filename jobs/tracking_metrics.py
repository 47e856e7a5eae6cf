"""What MLflow shows of the scores of a run: figures that can be set side by side, model against model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.evaluate.metrics import METRICS, common_cells, summarise

CHOSEN = "(chosen)"
NAMES = [metric.name for metric in METRICS]
DETAILED = ["wape", "coverage_80"]


@dataclass(frozen=True)
class Reading:
    """One value of a metric; `step` is the horizon where the name says so, else 0."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Comparison:
    """Figures of every model, and of the model each target chose.

    Attributes
    ----------
    readings : mapping of str to tuple of Reading
        By model; the chosen ones under `CHOSEN`.
    overall : tuple of str
        Measures that the overall figures stand for: those on which the most models were measured.
    """

    readings: Mapping[str, tuple[Reading, ...]]
    overall: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The models, by name."""
        return tuple(sorted(name for name in self.readings if name != CHOSEN))


def compare_models(scores: pd.DataFrame, *, chosen: Mapping[str, str]) -> Comparison:
    """Work out the metrics of a run.

    A model is measured on a measure if it has at least three origins there. Figures of a measure are taken on
    the cells (series, origin, horizon) that every model measured on it has, pooled within a geographic level, and
    averaged over the levels: pooled over levels, England would drown the areas. Profiles by horizon do the same
    horizon by horizon, as fewer models are measured far ahead. Overall figures average the
    measures on which the most models were measured; a model that is not among those has none.

    Parameters
    ----------
    scores : DataFrame
        `scores.parquet` of a run folder.
    chosen : mapping of str to str
        Model by target.

    Returns
    -------
    Comparison
        wape, mase, bias, pinball, coverage_80, coverage_95: overall under these names, by measure as
        `wape.requests`; wape and coverage_80 also by level as `wape.requests.region` and by horizon as
        `wape_by_horizon.requests`; `wape_all_cells.requests.region` on all cells the model has; n_cells,
        n_cells_common. What is not measured is left out.
    """
    models = tuple(scores["model"].astype(str).unique())
    cells = _known(scores)
    common = common_cells(cells, within=["measure"])
    if common.empty:
        return Comparison({**{name: () for name in models}, CHOSEN: ()}, ())
    of_measure = cells.drop_duplicates("measure").set_index("measure")["target"].map(dict(chosen))

    def with_chosen(frame: pd.DataFrame) -> pd.DataFrame:
        own = frame[frame["model"].eq(frame["measure"].map(of_measure))]
        return pd.concat([frame, own.assign(model=CHOSEN)], ignore_index=True)

    levels = summarise(common, by=["measure", "geographic_level", "model"])
    measures = levels.groupby(["measure", "model"])[NAMES].mean().dropna(subset=["wape"]).reset_index()
    overall, compared = _scope(measures)
    ahead = common_cells(cells, within=["measure", "horizon"])
    horizons = summarise(ahead, by=["measure", "geographic_level", "horizon", "model"])
    horizons = horizons.groupby(["measure", "horizon", "model"])[DETAILED].mean().reset_index()
    everywhere = summarise(cells, by=["measure", "geographic_level", "model"])
    counts = cells.groupby(["measure", "model"]).size().rename("n_cells").reset_index()
    counts["n_cells_common"] = _matched(counts, common.groupby(["measure", "model"]).size())

    inside = with_chosen(measures[measures["measure"].isin(overall)])
    means = inside.groupby("model")[NAMES].mean()
    means = means[means.index.isin([*compared, CHOSEN])].reset_index()
    table = [
        _readings(means, "{metric}", NAMES),
        _readings(with_chosen(counts).groupby("model").sum(numeric_only=True).reset_index(), "{metric}"),
        _readings(with_chosen(measures), "{metric}.{measure}", NAMES),
        _readings(with_chosen(levels), "{metric}.{measure}.{geographic_level}", DETAILED),
        _readings(with_chosen(horizons), "{metric}_by_horizon.{measure}", DETAILED),
        _readings(with_chosen(everywhere), "{metric}_all_cells.{measure}.{geographic_level}", ["wape"]),
    ]
    found: dict[str, list[Reading]] = {name: [] for name in (*models, CHOSEN)}
    for model, reading in (pair for part in table for pair in part):
        found[model].append(reading)
    return Comparison({name: tuple(readings) for name, readings in found.items()}, overall)


def _known(scores: pd.DataFrame) -> pd.DataFrame:
    """Cells with an outturn and a forecast; a measure of two targets is named with its target."""
    cells = scores[scores["actual"].notna() & scores["point"].notna()]
    cells = cells.astype({name: str for name in ("target", "measure", "geographic_level", "unique_id", "model")})
    shared = cells.groupby("measure")["target"].transform("nunique").gt(1)
    return cells.assign(measure=cells["measure"].where(~shared, cells["target"] + "." + cells["measure"]))


def _scope(measures: pd.DataFrame) -> tuple[tuple[str, ...], frozenset[str]]:
    """Measures that the overall figures average, and the models that were measured on all of them."""
    models = {str(name): frozenset(part["model"]) for name, part in measures.groupby("measure", sort=False)}
    widest = max(models.values(), key=len, default=frozenset[str]())
    return tuple(name for name, having in models.items() if having >= widest), widest


def _matched(counts: pd.DataFrame, common: pd.Series) -> pd.Series:
    keys = pd.MultiIndex.from_frame(counts[["measure", "model"]])
    return pd.Series(common.reindex(keys, fill_value=0).to_numpy(), index=counts.index)


def _readings(frame: pd.DataFrame, name: str, metrics: Sequence[str] | None = None) -> list[tuple[str, Reading]]:
    """Name every finite value of the metric columns after its row."""
    columns = list(metrics or [column for column in frame.columns if column != "model"])
    found = []
    for row in frame.to_dict("records"):
        for metric in columns:
            if np.isfinite(row[metric]):
                label = name.format(metric=metric, **{k: row[k] for k in ("measure", "geographic_level") if k in row})
                found.append((str(row["model"]), Reading(label, float(row[metric]), int(row.get("horizon", 0)))))
    return found
