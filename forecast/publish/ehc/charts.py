"""Charts of the way from request to plan: fans side by side, and the caseload stacked by age band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.publish.charts import GRID, INK, NARROW, WIDE, FanData, Size, draw_fan, legend, picture
from forecast.publish.ehc.run import PUBLISHED, AreaFigures
from forecast.publish.ehc.words import category_name, kind
from forecast.publish.words import LIKELY

BLUES = ("#0b2a45", "#12436d", "#2073bc", "#6bace6", "#bfddf5")
NOT_TOLD = "#b1b4b6"
QUIET = "#505a5f"


@dataclass(frozen=True)
class ChartText:
    """What names a chart: a prefix of ids, a title and a description for screen readers."""

    chart_id: str
    title: str
    description: str


def fans(area: AreaFigures, measures: Sequence[str], text: ChartText, *, same_scale: bool) -> tuple[str, ...]:
    """Draw history and fans of measures beside each other, or below each other on a narrow screen.

    Parameters
    ----------
    area : AreaFigures
    measures : sequence of str
        Those without figures are left out.
    text : ChartText
    same_scale : bool
        One scale for all, where all are counts of the same things.

    Returns
    -------
    tuple of str
        SVG for wide and for narrow screens; none if there is nothing to draw.
    """
    found = {name: area.series(name).dropna(subset="median") for name in measures}
    rows = {name: own for name, own in found.items() if len(own)}
    if not rows:
        return ()
    dates = sorted({ds for own in rows.values() for ds in own["ds"]})
    drawn = [(name, _fan(own, dates, stock=kind(name).stock)) for name, own in rows.items()]

    def wide(figure: Any) -> None:
        half = Size(WIDE.width // 2, WIDE.height, WIDE.letters, 5)
        _draw_fans(figure, drawn, half, WIDE, shape=(1, len(drawn)), same_scale=same_scale)

    def narrow(figure: Any) -> None:
        _draw_fans(figure, drawn, NARROW, NARROW, shape=(len(drawn), 1), same_scale=same_scale)

    sizes = (("wide", WIDE.high(340), wide), ("narrow", NARROW.high(60 + 240 * len(drawn)), narrow))
    return tuple(_picture(draw, text, suffix, size) for suffix, size, draw in sizes)


def stacked(area: AreaFigures, by: str, text: ChartText) -> tuple[str, ...]:
    """Draw the caseload as bars, January by January, stacked by a breakdown, with the range of the total.

    Projected parts are means, because only means add; a January without a breakdown is one grey bar.

    Parameters
    ----------
    area : AreaFigures
    by : str
        Breakdown.
    text : ChartText

    Returns
    -------
    tuple of str
        SVG for wide and for narrow screens; none if there is nothing to draw.
    """
    total = area.series("caseload")
    if not len(total):
        return ()
    sizes = (("wide", WIDE.high(400)), ("narrow", NARROW.high(380)))
    return tuple(
        _picture(lambda figure, size=size: _draw_stack(figure, area, by, size), text, suffix, size)
        for suffix, size in sizes
    )


def _picture(draw: Any, text: ChartText, suffix: str, size: Size) -> str:
    names = {"title": text.title, "description": text.description}
    return picture(draw, chart_id=f"{text.chart_id}-{suffix}", size=size, **names)


def _fan(rows: pd.DataFrame, dates: list[pd.Timestamp], *, stock: bool) -> FanData:
    """Return the data of a fan over the given dates, so that fans beside each other have one time axis."""
    past = rows["status"].eq(PUBLISHED)
    outturn = rows[past].set_index("ds")["median"].astype(float).reindex(dates)
    history = pd.DataFrame({"ds": dates, "y": outturn.to_numpy()})
    return FanData(history=history, forecast=rows[~past], freq="YS", stock=stock)


def _draw_fans(
    figure: Any,
    drawn: Sequence[tuple[str, FanData]],
    size: Size,
    whole: Size,
    *,
    shape: tuple[int, int],
    same_scale: bool,
) -> None:
    grid = figure.subplots(*shape, squeeze=False).ravel()
    top = 0.0
    for axes, (name, data) in zip(grid, drawn, strict=True):
        draw_fan(axes, data, size)
        axes.set_title(kind(name).title, loc="left", fontsize="medium", color=INK, pad=8)
        axes.set_xlabel("")
        if kind(name).rate:
            axes.set_ylim(0, 100)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f}%")
        top = max(top, axes.get_ylim()[1])
    if same_scale:
        for axes in grid:
            axes.set_ylim(0, top)
    handles = {label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    legend(figure, whole, list(handles.values()))


def _draw_stack(figure: Any, area: AreaFigures, by: str, size: Size) -> None:
    total = area.series("caseload")
    years = total["ds"].dt.year.to_numpy()
    parts = {name: area.series("caseload", by, name) for name in area.categories("caseload", by)}
    heights = {
        name: rows.set_index(rows["ds"].dt.year)["mean"].reindex(years).to_numpy(dtype=float)
        for name, rows in parts.items()
    }
    axes = figure.add_subplot()
    base = np.zeros(len(years))
    for (name, values), colour in zip(heights.items(), shades(len(heights)), strict=True):
        height = np.nan_to_num(values)
        axes.bar(
            years, height, 0.84, base, color=colour, edgecolor="white", linewidth=0.6, label=category_name(by, name)
        )
        base += height
    untold = np.where(base > 0, 0.0, total["mean"].to_numpy(dtype=float))
    if untold.any():
        axes.bar(years, untold, 0.84, color=NOT_TOLD, label="Not published")
    low, high = (total[end].to_numpy(dtype=float) for end in ("lo-80", "hi-80"))
    ahead = np.isfinite(low)
    if ahead.any():
        axes.vlines(
            years[ahead], low[ahead], high[ahead], color=INK, linewidth=1.4, label=f"{LIKELY} range of the total"
        )
        border = years[ahead].min() - 0.5
        axes.axvline(border, color=QUIET, linewidth=0.9, linestyle=(0, (1, 2)))
        place = {"xytext": (3, -2), "textcoords": "offset points", "va": "top", "fontsize": "small", "color": INK}
        axes.annotate("projected", (border, np.nanmax(high) * 1.06), **place)
    axes.set_ylim(0, np.nanmax(np.concatenate([high[ahead], base, untold])) * 1.06)
    _label(axes, years, size)
    axes.set_title(kind("caseload").axis, loc="left", fontsize="medium", color=INK, pad=8)
    legend(figure, size)


def _label(axes: Any, years: Any, size: Size) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    step = -(-len(years) // size.ticks)
    axes.set_xticks(years[::-1][::step][::-1])
    axes.set_xlim(years.min() - 0.6, years.max() + 0.6)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("January of each year", fontsize="small")


def shades(number: int) -> list[str]:
    """Return shades of one blue from dark to light, as many as asked."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    if number <= len(BLUES):
        return list(BLUES[:number])
    scale = LinearSegmentedColormap.from_list("blues", BLUES)
    return [to_hex(scale(i / (number - 1))) for i in range(number)]
