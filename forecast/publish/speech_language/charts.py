"""Charts of speech and language: fans by month, the list stacked by wait band, therapists needed and in post."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.publish.charts import GRID, HISTORY, INK, NARROW, WIDE, FanData, Size, draw_fan, legend, picture
from forecast.publish.ehc.charts import QUIET, shades
from forecast.publish.speech_language.run import MODELLED, MONTHLY, PAST, Figures
from forecast.publish.words import LIKELY, period_at, period_index, period_name

DASHES = ((0, ()), (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))
BEYOND = ("#F46A25", "#8A2C02")
LONG_NAMES = (2, 1)
COLOURS = (INK, "#F46A25", "#12436D", "#28A197", "#801650", "#A285D1")


@dataclass(frozen=True)
class ChartText:
    """What names a chart: a prefix of ids, a title, a description for screen readers and which figures are made up."""

    chart_id: str
    title: str
    description: str
    tag: str = ""


@dataclass(frozen=True)
class Fan:
    """One fan of a chart: a measure, its heading, and the target, if it has one."""

    measure: str
    heading: str
    target: float | None = None
    per_cent: bool = False


def fans(figures: Figures, drawn: Sequence[Fan], text: ChartText) -> tuple[str, ...]:
    """Draw history and fans of monthly measures beside each other, or below each other on a narrow screen.

    Parameters
    ----------
    figures : Figures
    drawn : sequence of Fan
        Those without figures are left out.
    text : ChartText

    Returns
    -------
    tuple of str
        SVG for wide and for narrow screens; none if there is nothing to draw.
    """
    rows = [(fan, figures.series(fan.measure).dropna(subset="median")) for fan in drawn]
    found = [(fan, own) for fan, own in rows if len(own)]
    if not found:
        return ()
    count = len(found)

    def wide(figure: Any) -> None:
        size = Size(WIDE.width // count, WIDE.height, WIDE.letters, 12 // count)
        _draw_fans(figure, found, (1, count), (size, WIDE), text.tag)

    def narrow(figure: Any) -> None:
        _draw_fans(figure, found, (count, 1), (NARROW, NARROW), text.tag)

    sizes = (("wide", WIDE.high(380 if count == 1 else 350), wide), ("narrow", NARROW.high(80 + 260 * count), narrow))
    return tuple(_picture(draw, text, suffix, size) for suffix, size, draw in sizes)


def stacked(figures: Figures, bands: Sequence[str], text: ChartText, *, weeks: int) -> tuple[str, ...]:
    """Draw the list as bars, month by month, stacked by wait band, with the range of the total.

    Projected bands are means, because only means add. The longer the wait the darker; bands beyond the target have
    a colour of their own.

    Parameters
    ----------
    figures : Figures
    bands : sequence of str
        Labels, shortest wait first.
    text : ChartText
    weeks : int
        The target.

    Returns
    -------
    tuple of str
        SVG for wide and for narrow screens; none if there is nothing to draw.
    """
    total = figures.series("waiting").dropna(subset="median")
    if not len(total):
        return ()
    colours = _band_colours(bands, weeks)
    sizes = (("wide", WIDE.high(420)), ("narrow", NARROW.high(420)))
    return tuple(
        _picture(lambda figure, size=size: _draw_stack(figure, figures, colours, size, text.tag), text, suffix, size)
        for suffix, size in sizes
    )


def staff(figures: Figures, text: ChartText) -> tuple[str, ...]:
    """Draw therapists needed, as a fan, against those in post; none if there is nothing to draw."""
    needed, in_post = (figures.series(m).dropna(subset="median") for m in ("wte_needed", "wte_in_post"))
    if not len(needed):
        return ()

    def draw(figure: Any, size: Size) -> None:
        axes = figure.add_subplot()
        names = {"Projection": "Needed to keep pace with demand", f"{LIKELY} range": f"{LIKELY} range of the need"}
        handles = _draw_fan(axes, needed, size)
        drawn = [(handle, names.get(label, label)) for label, handle in handles.items() if label != "Actual"]
        at = _positions(in_post)
        post = in_post["median"].astype(float)
        step = axes.step(at, post, where="mid", color=HISTORY, linewidth=2.4) if len(post) else []
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.06 * float(post.max() if len(post) else 0)))
        _heading(axes, "Whole-time therapists (WTE)", text.tag)
        _legend(figure, size, [*((line, "In post") for line in step), *drawn], columns=LONG_NAMES)

    sizes = (("wide", WIDE), ("narrow", NARROW.high(380)))
    return tuple(_picture(lambda f, size=size: draw(f, size), text, suffix, size) for suffix, size in sizes)


def compared(options: Sequence[tuple[str, Figures]], fan: Fan, text: ChartText) -> tuple[str, ...]:
    """Draw the middle of a measure under each option, titled, as a line; none if there is nothing to draw."""
    rows = [(title, own.series(fan.measure).dropna(subset="median")) for title, own in options]
    if not any(len(own) for _, own in rows):
        return ()

    def draw(figure: Any, size: Size) -> None:
        axes = figure.add_subplot()
        lines = []
        for i, (title, own) in enumerate(rows):
            look: dict[str, Any] = {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i % len(DASHES)]}
            lines += [(line, title) for line in axes.plot(_positions(own), own["median"], linewidth=2, **look)]
        months = np.concatenate([_positions(own) for _, own in rows])
        _month_axis(axes, int(months.min()), int(months.max()), size)
        axes.set_ylim(0, 101 if fan.per_cent else None)
        lines += [(line, label) for label, line in _target(axes, fan).items()]
        _heading(axes, fan.heading, text.tag)
        _legend(figure, size, lines, columns=LONG_NAMES)

    sizes = (("wide", WIDE.high(360)), ("narrow", NARROW.high(400)))
    return tuple(_picture(lambda f, size=size: draw(f, size), text, suffix, size) for suffix, size in sizes)


def _picture(draw: Any, text: ChartText, suffix: str, size: Size) -> str:
    names = {"title": text.title, "description": text.description}
    return picture(draw, chart_id=f"{text.chart_id}-{suffix}", size=size, **names)


def _draw_fans(
    figure: Any,
    found: Sequence[tuple[Fan, pd.DataFrame]],
    shape: tuple[int, int],
    sizes: tuple[Size, Size],
    tag: str,
) -> None:
    each, whole = sizes
    handles: dict[str, Any] = {}
    for axes, (fan, rows) in zip(figure.subplots(*shape, squeeze=False).ravel(), found, strict=True):
        handles |= _draw_fan(axes, rows, each)
        if fan.per_cent:
            axes.set_ylim(0, 101)
        handles |= _target(axes, fan)
        modelled = " (history modelled)" if rows["status"].eq(MODELLED).any() else ""
        _heading(axes, fan.heading, f"{modelled[:-1]}, {tag[2:]}" if modelled and tag else modelled or tag)
    _legend(figure, whole, [(handle, label) for label, handle in handles.items()])


def _draw_fan(axes: Any, rows: pd.DataFrame, size: Size) -> dict[str, Any]:
    """Draw history and fan of one series and return what a legend names."""
    past = rows["status"].isin(PAST)
    history = pd.DataFrame({"ds": rows[past]["ds"], "y": rows[past]["median"].astype(float)})
    draw_fan(axes, FanData(history=history, forecast=rows[~past], freq=MONTHLY, stock=False), size)
    axes.set_xlabel("")
    handles, labels = axes.get_legend_handles_labels()
    return dict(zip(labels, handles, strict=True))


def _draw_stack(figure: Any, figures: Figures, colours: Mapping[str, str], size: Size, tag: str) -> None:
    total = figures.series("waiting").dropna(subset="median")
    months = _positions(total)
    axes = figure.add_subplot()
    base, drawn = np.zeros(len(months)), list[tuple[Any, str]]()
    for band, colour in colours.items():
        rows = figures.series("waiting", "wait_band", band)
        means = pd.Series(rows["mean"].to_numpy(dtype=float), index=_positions(rows)).reindex(months)
        height = np.nan_to_num(means.to_numpy())
        bars = axes.bar(months, height, 0.92, base, color=colour, edgecolor="white", linewidth=0.3)
        drawn.append((bars, f"{band.replace('-', ' to ')} weeks"))
        base += height
    low, high = (total[end].to_numpy(dtype=float) for end in ("lo-80", "hi-80"))
    ahead = np.isfinite(low)
    if ahead.any():
        look = {"color": INK, "linewidth": 1.5}
        (line,) = axes.plot(months[ahead], low[ahead], **look)
        axes.plot(months[ahead], high[ahead], **look)
        drawn.append((line, f"{LIKELY} range of all"))
        border = months[ahead].min() - 0.5
        axes.axvline(border, color=QUIET, linewidth=0.9, linestyle=(0, (1, 2)))
        place = {"xytext": (3, -2), "textcoords": "offset points", "va": "top", "fontsize": "small", "color": INK}
        axes.annotate("projected", (border, np.nanmax(high) * 1.06), **place)
    axes.set_ylim(0, np.nanmax(np.concatenate([high[ahead], base])) * 1.06 or 1.0)
    _month_axis(axes, int(months.min()), int(months.max()), size)
    _heading(axes, "Children waiting at the end of the month", tag)
    _legend(figure, size, drawn)


def _band_colours(bands: Sequence[str], weeks: int) -> dict[str, str]:
    """Return a colour for each band: blues up to the target, darker ones of another colour beyond it."""
    beyond = [band for band in bands if int(re.split(r"\D", band)[0]) >= weeks]
    within = [band for band in bands if band not in beyond]
    blues = reversed(shades(len(within) + 1)[1:])
    late = [BEYOND[min(i, len(BEYOND) - 1)] for i in range(len(beyond))]
    return dict(zip([*within, *beyond], [*blues, *late], strict=True))


def _positions(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    return np.array([period_index(ds, MONTHLY) for ds in rows["ds"]], dtype=np.int64)


def _month_axis(axes: Any, first: int, last: int, size: Size) -> None:
    """Name every so many months, counted back from the last."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    step = -(-(last - first + 1) // size.ticks)
    ticks = range(last, first - 1, -step)
    names = [period_name(period_at(i, MONTHLY), freq=MONTHLY, stock=False, short=True) for i in ticks]
    axes.set_xticks(list(ticks), [name.replace(" ", "\n") for name in names])
    axes.set_xlim(first - 0.6, last + 0.6)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _target(axes: Any, fan: Fan) -> dict[str, Any]:
    """Mark the target of a fan, write per cent where it is a share, and return what a legend names."""
    if fan.per_cent:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0f}%")
    if fan.target is None:
        return {}
    return {"Target": axes.axhline(fan.target, color=INK, linewidth=1.4, linestyle=(0, (1, 1.5)), zorder=2)}


def _heading(axes: Any, heading: str, tag: str) -> None:
    axes.set_title(f"{heading}{tag.replace(' (', chr(10) + '(')}", loc="left", fontsize="medium", color=INK, pad=8)


def _legend(figure: Any, size: Size, drawn: Sequence[tuple[Any, str]], *, columns: tuple[int, int] = (4, 2)) -> None:
    for handle, label in drawn:
        handle.set_label(label)
    legend(figure, size, [handle for handle, _ in drawn], columns=columns)
