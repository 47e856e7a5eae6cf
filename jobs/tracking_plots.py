"""Plots for the analyst: outturn, and what was forecast from each past origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.publish.charts import HISTORY, PROJECTION
from forecast.sources.observations import usable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_MEASURES = 4
MAX_AREAS = 6
MAX_MODELS = 9
COLUMNS = 3
STYLE: Any = {"font.size": 8, "text.parse_math": False}


@dataclass(frozen=True)
class Panel:
    """One small chart: a series, and the forecasts of a model from its past origins with a missing point between."""

    title: str
    outturn: pd.DataFrame
    forecasts: pd.DataFrame

    @property
    def top(self) -> float:
        """The highest point; 0 without any."""
        return float(pd.concat([self.outturn["y"], self.forecasts["point"], pd.Series([0.0])]).max())


def draw_plots(
    folder: Path, *, targets: Sequence[Mapping[str, Any]], history: pd.DataFrame, scores: pd.DataFrame
) -> list[Path]:
    """Draw two pictures a measure, for the first measures: the chosen model by area, and every model for one area.

    Parameters
    ----------
    folder : Path
        Exists; gets `<measure>_areas.png` and `<measure>_models.png` below `<target>`.
    targets : sequence of mapping
        Of the manifest. Areas in page order; the first one that was scored is drawn for every model.
    history, scores : DataFrame
        Of the run folder.

    Returns
    -------
    list of Path
        Nothing for a measure without scores.
    """
    known = history.assign(y=usable(history)).dropna(subset=["y"])
    made = scores.dropna(subset=["point"])
    drawn = []
    for target, measure in [(t, m) for t in targets for m in t["measures"]][:MAX_MEASURES]:
        mine = made[made["target"].eq(target["name"]) & made["measure"].eq(measure)]
        outturn = known[known["target"].eq(target["name"]) & known["measure"].eq(measure)]
        areas = [area for area in target["areas"] if mine["area_code"].eq(area["area_code"]).any()]
        if not areas:
            continue
        label = measure.replace("_", " ")
        model, place = target["model"], areas[0]["area_code"]
        names = sorted(mine["model"].astype(str).unique(), key=lambda name: (name != model, name))
        by_area = [_panel(a["area_name"], outturn, mine, a["area_code"], model) for a in areas[:MAX_AREAS]]
        by_model = [_panel(name, outturn, mine, place, name) for name in names[:MAX_MODELS]]
        own = folder / target["name"]
        own.mkdir(parents=True, exist_ok=True)
        heading = f"{label}: {model}, by area"
        _draw(own / f"{measure}_areas.png", heading, by_area, same_scale=False)
        heading = f"{label}: {areas[0]['area_name']}, by model"
        _draw(own / f"{measure}_models.png", heading, by_model, same_scale=True)
        drawn += [own / f"{measure}_areas.png", own / f"{measure}_models.png"]
    return drawn


def _panel(title: str, outturn: pd.DataFrame, scores: pd.DataFrame, area_code: str, model: str) -> Panel:
    own = outturn[outturn["area_code"].eq(area_code)].sort_values("ds")
    made = scores[scores["area_code"].eq(area_code) & scores["model"].eq(model)][["origin", "ds", "point"]]
    starts = own.rename(columns={"y": "point"})[["ds", "point"]].assign(origin=own["ds"])
    starts = starts[starts["origin"].isin(made["origin"])]
    gaps = made.groupby("origin", as_index=False)["ds"].max()
    lines = pd.concat([starts, made.sort_values("ds"), gaps]).sort_values("origin", kind="stable")
    return Panel(title, own[["ds", "y"]], lines[["ds", "point"]])


def _draw(path: Path, heading: str, panels: Sequence[Panel], *, same_scale: bool) -> None:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(panels) // COLUMNS)
    height = 0.9 + 2.4 * rows
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, height), dpi=90)
        FigureCanvasAgg(figure)
        first = None
        for place, panel in enumerate(panels, start=1):
            axes = figure.add_subplot(rows, COLUMNS, place, sharex=first, sharey=first if same_scale else None)
            first = first or axes
            _draw_panel(axes, panel, max(panel.top for panel in panels) if same_scale else panel.top)
            if same_scale:
                axes.label_outer(remove_inner_ticks=True)
        figure.suptitle(f"{heading}. Dark: outturn. Orange: the forecast made at each past origin", fontsize=9)
        figure.subplots_adjust(left=0.07, right=0.98, bottom=0.3 / height, top=1 - 0.7 / height, hspace=0.3)
        figure.savefig(path, metadata={"Software": None})


def _draw_panel(axes: Axes, panel: Panel, top: float) -> None:
    from matplotlib import dates

    time_axis: Any = dates
    axes.plot(panel.outturn["ds"], panel.outturn["y"], color=HISTORY, linewidth=1.8, marker="o", markersize=3)
    axes.plot(panel.forecasts["ds"], panel.forecasts["point"], color=PROJECTION, linewidth=1, marker=".", markersize=3)
    locator = time_axis.AutoDateLocator(maxticks=5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(time_axis.ConciseDateFormatter(locator))
    axes.set_ylim(0, top * 1.06 or 1.0)
    axes.locator_params(axis="y", nbins=5)
    axes.set_title(panel.title, fontsize=8, loc="left", y=1.02)
