"""Charts as inline SVG: history, then a fan that starts at the last outturn. No script, no font, no clock."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from forecast.publish.words import LIKELY, VERY_LIKELY, period_at, period_index, period_name

if TYPE_CHECKING:
    import pandas as pd

HISTORY = "#12436D"
PROJECTION = "#F46A25"
LIKELY_FILL = "#F9B590"
VERY_LIKELY_FILL = "#FDE1D3"
INK = "#0b0c10"
GRID = "#d8dadd"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "send-forecast",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "path.simplify": False,
}


@dataclass(frozen=True)
class Size:
    """Width and height of a chart, and of its letters, in CSS pixels."""

    width: int
    height: int
    letters: int
    ticks: int

    def high(self, height: int) -> Size:
        """Return a size of the same width and another height."""
        return replace(self, height=height)


WIDE = Size(720, 380, 15, 12)
NARROW = Size(360, 330, 14, 6)


@dataclass(frozen=True)
class FanData:
    """What one chart shows.

    Attributes
    ----------
    history : DataFrame
        ds, y; y is NaN where a period is missing or must not be used.
    forecast : DataFrame
        ds, median, lo-80, hi-80, lo-95, hi-95; may be empty.
    freq : str
    stock : bool
        A yearly figure counted in January.
    breaks : tuple of Timestamp
        First periods after a break in the series.
    threshold : float or None
        A level to mark.
    """

    history: pd.DataFrame
    forecast: pd.DataFrame
    freq: str
    stock: bool
    breaks: tuple[pd.Timestamp, ...] = ()
    threshold: float | None = None


def fan_chart(data: FanData, *, chart_id: str, title: str, description: str, label: str, size: Size = WIDE) -> str:
    """Draw one chart.

    Parameters
    ----------
    data : FanData
    chart_id : str
        Letters, digits and hyphens; unique on the page. Every id inside the SVG starts with it.
    title, description : str
        What a screen reader says of the picture.
    label : str
        Axis label over the vertical axis.
    size : Size

    Returns
    -------
    str
        An `<svg>` element; the same data give the same characters.
    """

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        draw_fan(axes, data, size)
        axes.set_title(label, loc="left", fontsize="medium", color=INK, pad=8)
        legend(figure, size)

    return picture(draw, chart_id=chart_id, title=title, description=description, size=size)


def picture(draw: Callable[[Any], None], *, chart_id: str, title: str, description: str, size: Size) -> str:
    """Draw into a figure of the house's style and return it as an element of the page.

    Parameters
    ----------
    draw : callable
        Takes a matplotlib figure and draws into it.
    chart_id, title, description, size
        As `fan_chart` takes them.

    Returns
    -------
    str
        An `<svg>` element.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    style: Any = {**STYLE, "font.size": size.letters * 0.72}
    with mpl.rc_context(style):
        figure = Figure(figsize=(size.width / 100, size.height / 100), dpi=100, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return _inline(buffer.getvalue(), chart_id=chart_id, title=title, description=description)


def legend(figure: Any, size: Size, handles: Sequence[Any] | None = None, *, columns: tuple[int, int] = (4, 2)) -> None:
    """Put the legend over the chart; `handles` where several axes draw the same things.

    `columns` are those of a wide and of a narrow chart: fewer where names are long.
    """
    wide, narrow = columns
    place = {"loc": "outside upper left", "ncols": wide if size.width > 500 else narrow, "frameon": False}
    given = {} if handles is None else {"handles": handles}
    figure.legend(**given, **place, handlelength=1.6, columnspacing=1.4)


def draw_fan(axes: Any, data: FanData, size: Size) -> None:
    """Draw history and the fan of the projection into axes, with their labels."""
    at = [period_index(ds, data.freq) for ds in data.history["ds"]]
    ahead = [period_index(ds, data.freq) for ds in data.forecast["ds"]]
    first, last = min([*at, *ahead]), max([*at, *ahead])
    y = np.full(last - first + 1, np.nan)
    y[np.array(at, dtype=int) - first] = data.history["y"].to_numpy(dtype=float)
    x = np.arange(first, last + 1)
    axes.plot(x, y, color=HISTORY, linewidth=2, marker="o", markersize=4.5, label="Actual", zorder=4)
    top = float(np.nanmax(y)) if np.isfinite(y).any() else 0.0
    if ahead:
        joined_x, curves = _joined(x, y, ahead, data.forecast)
        axes.plot(
            joined_x,
            curves["median"],
            **{"color": PROJECTION, "linewidth": 2, "linestyle": (0, (4, 1.5)), "label": "Projection", "zorder": 3},
        )
        for level, fill, words, order in (
            (80, LIKELY_FILL, LIKELY, 2),
            (95, VERY_LIKELY_FILL, VERY_LIKELY, 1),
        ):
            low, high = curves[f"lo-{level}"], curves[f"hi-{level}"]
            axes.fill_between(joined_x, low, high, color=fill, linewidth=0, label=f"{words} range", zorder=order)
        top = max(top, float(curves["hi-95"].max()))
    if data.threshold is not None:
        axes.axhline(data.threshold, color=INK, linewidth=1, linestyle=(0, (1, 2)), zorder=2)
        place = {"xytext": (2, 3), "textcoords": "offset points", "fontsize": "small", "color": INK}
        axes.annotate(f"{data.threshold:,.0f}", (first - 0.3, data.threshold), **place)
        top = max(top, data.threshold)
    top = top * 1.06 or 1.0
    for start in data.breaks:
        place_x = period_index(start, data.freq) - 0.5
        axes.axvline(place_x, color="#505a5f", linewidth=0.9, zorder=1)
        place = {"xytext": (-3, -2), "textcoords": "offset points", "ha": "right", "va": "top"}
        axes.annotate("series break", (place_x, top), fontsize="small", color=INK, **place)
    axes.set_ylim(0, top)
    axes.set_xlim(first - 0.5, last + 0.5)
    _label_axes(axes, data, x, size)


def _joined(
    x: npt.NDArray[np.int64], y: npt.NDArray[np.float64], ahead: list[int], forecast: pd.DataFrame
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.float64]]]:
    """Put the last outturn before the projection, so that the fan opens from it."""
    curves = {name: forecast[name].to_numpy(dtype=float) for name in ("median", "lo-80", "hi-80", "lo-95", "hi-95")}
    known = np.flatnonzero(np.isfinite(y))
    if not len(known):
        return np.array(ahead), curves
    start = known[-1]
    joined = {name: np.concatenate([[y[start]], values]) for name, values in curves.items()}
    return np.array([x[start], *ahead]), joined


def _label_axes(axes: Any, data: FanData, x: npt.NDArray[np.int64], size: Size) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    step = -(-len(x) // size.ticks)
    ticks = x[::-1][::step][::-1]
    names = [
        period_name(period_at(int(i), data.freq), freq=data.freq, stock=data.stock, short=True).replace(" ", "\n")
        for i in ticks
    ]
    axes.set_xticks(ticks, names)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    yearly = "January of each year" if data.stock else "Calendar year"
    axes.set_xlabel({"YS": yearly, "MS": "Month", "QS": "Quarter"}.get(data.freq, "Week"), fontsize="small")


def _inline(svg: str, *, chart_id: str, title: str, description: str) -> str:
    """Make a document of its own into an element of the page: own ids, page font, a name for screen readers."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.S)
    body = re.sub(r'\bid="', f'id="{chart_id}-', body)
    body = re.sub(r'href="#', f'href="#{chart_id}-', body)
    body = re.sub(r"url\(#", f"url(#{chart_id}-", body)
    body = re.sub(r"'DejaVu Sans'[^;\"]*", "inherit", body)
    box = re.search(r'viewBox="[^"]*"', body)
    assert box is not None  # noqa: S101 - matplotlib always writes it
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} role="img" '
        f'aria-labelledby="{chart_id}-title {chart_id}-desc"><title id="{chart_id}-title">{escape(title)}</title>'
        f'<desc id="{chart_id}-desc">{escape(description)}</desc>'
    )
    return opening + body[body.index(">") + 1 :].strip()
