"""One area and measure on the page: headline, chart, figures, chance of more than a threshold."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from forecast.publish.accuracy import how_sure
from forecast.publish.charts import NARROW, WIDE, FanData, fan_chart
from forecast.publish.run import Area, RunRecord, Target
from forecast.publish.tables import chosen_forecasts, on_page
from forecast.publish.view import Block, Group, Row, Table, table
from forecast.publish.words import (
    LIKELY,
    VERY_LIKELY,
    chance,
    change,
    day,
    in_period,
    listed,
    measure,
    number,
    period_index,
    period_name,
    period_word,
    reason_words,
    rounding_unit,
)

SERIES_BREAK = "series_break"
OLD = 2
RECENT, LONG = 24, 36


def area_block(run: RunRecord, target: Target, name: str, area: Area, *, chart_id: str, full: bool) -> Block:
    """Say one series in words, a chart and a table.

    Parameters
    ----------
    run : RunRecord
    target : Target
    name : str
        Measure.
    area : Area
    chart_id : str
        Prefix of the ids of the charts.
    full : bool
        Whether to draw for wide screens too and to give the chance of more than the threshold.

    Returns
    -------
    Block
    """
    history = series_of(on_page(run.history, target), target, name, area).sort_values("ds")
    ahead = series_of(chosen_forecasts(run, target), target, name, area).sort_values("ds")
    words = _Words(target, name, area, synthetic=run.synthetic(target.name))
    if len(ahead):
        headline, sure = _headline(words, history, ahead), how_sure(run, target, name, area)
    else:
        ledger = series_of(run.ledger, target, name, area)
        why = str(ledger["reason"].iloc[0]).rstrip(".") if len(ledger) else "the run has no series for it"
        headline, sure = f"{words.area}: not enough data for a projection ({why}).", ""
    breaks = _breaks(history)
    threshold = _threshold(ahead) if full else None
    data = FanData(
        history=pd.DataFrame({"ds": history["ds"], "y": history["usable"]}),
        forecast=ahead,
        freq=target.freq,
        stock=words.kind.stock,
        breaks=tuple(breaks),
        threshold=threshold,
    )
    split = len(history) - RECENT if full and len(history) > LONG else 0
    before, recent = history.iloc[:split], history.iloc[split:]
    block = Block(
        area=words.area,
        headline=headline,
        sure=sure,
        remarks=(*_age(words, history, ahead, run.as_of), *_remarks(words, history, breaks)),
        charts=_charts(words, data, chart_id=chart_id, description=headline, full=full),
        figures=_figures(words, recent, ahead),
        earlier=_earlier(words, before),
    )
    return block if threshold is None else _with_chance(block, words, ahead, threshold)


def series_of(frame: pd.DataFrame, target: Target, name: str, area: Area) -> pd.DataFrame:
    """Return the rows of one series."""
    chosen = frame["target"].eq(target.name) & frame["measure"].eq(name)
    return frame[chosen & frame["area_code"].eq(area.code)]


class _Words:
    """How one series is named."""

    def __init__(self, target: Target, name: str, area: Area, *, synthetic: bool) -> None:
        self.kind = measure(name)
        self.area = area.name
        self.freq = target.freq
        self.label = " (synthetic data)" if synthetic else ""

    def period(self, ds: pd.Timestamp) -> str:
        return period_name(ds, freq=self.freq, stock=self.kind.stock)


def _charts(words: _Words, data: FanData, *, chart_id: str, description: str, full: bool) -> tuple[str, ...]:
    if not len(data.forecast) and not data.history["y"].notna().any():
        return ()
    sizes = (("wide", WIDE), ("narrow", NARROW)) if full else (("card", NARROW),)
    return tuple(
        fan_chart(
            data,
            chart_id=f"{chart_id}-{suffix}",
            title=f"{words.kind.title}, {words.area}: history and projection{words.label}",
            description=f"{description} The figures are in the table below the chart.",
            label=f"{words.kind.axis or words.kind.title}{words.label.replace(' (', chr(10) + '(')}",
            size=size,
        )
        for suffix, size in sizes
    )


def _headline(words: _Words, history: pd.DataFrame, ahead: pd.DataFrame) -> str:
    end = ahead.iloc[-1]
    unit = rounding_unit(end["lo-80"], end["hi-80"])
    known = history[history["usable"].notna()]
    than = ""
    if len(known):
        last = known.iloc[-1]
        versus = change(end["median"], last["usable"], rate=words.kind.rate)
        than = f", {versus} the {number(last['usable'])} {in_period(words.period(last['ds']))}"
    when = in_period(words.period(end["ds"]))
    return (
        f"{words.area}: about {number(end['median'], unit)} {words.kind.unit} {when}{than}{words.label}. The "
        f"true figure is likely ({LIKELY}) to be between {number(end['lo-80'], unit)} and "
        f"{number(end['hi-80'], unit)}."
    )


def _figures(words: _Words, history: pd.DataFrame, ahead: pd.DataFrame) -> Table | None:
    """History newest last, then the projection: the table under the chart."""
    actual = tuple(Row(words.period(row["ds"]), (_outturn(row), "", "", "", "")) for _, row in history.iterrows())
    projected = tuple(
        Row(words.period(row["ds"]), tuple(number(row[c]) for c in ("median", "lo-80", "hi-80", "lo-95", "hi-95")))
        for _, row in ahead.iterrows()
    )
    groups = tuple(Group(title, rows) for title, rows in (("Actual", actual), ("Projection", projected)) if rows)
    if not groups:
        return None
    columns = ("Period", "Number", *(f"{end}, {q}" for q in (LIKELY, VERY_LIKELY) for end in ("Low", "High")))
    return Table(f"{words.kind.title}, {words.area}: figures{words.label}", columns, groups)


def _earlier(words: _Words, history: pd.DataFrame) -> Table | None:
    rows = tuple(Row(words.period(row["ds"]), (_outturn(row),)) for _, row in history.iterrows())
    caption = f"{words.kind.title}, {words.area}: earlier figures{words.label}"
    return table(caption, ("Period", "Number"), rows) if rows else None


def _outturn(row: pd.Series) -> str:
    if pd.notna(row["usable"]):
        return number(row["usable"])
    return reason_words(row["reason"].partition(":")[0]) if row["reason"] else "not available"


def _threshold(ahead: pd.DataFrame) -> float | None:
    known = ahead["threshold"].dropna()
    return float(known.iloc[0]) if len(known) else None


def _with_chance(block: Block, words: _Words, ahead: pd.DataFrame, threshold: float) -> Block:
    """Add the chance of more than the threshold by period, and when it becomes more likely than not."""
    what = f"more than {threshold:,.0f} {words.kind.unit}"
    periods = [words.period(ds) for ds in ahead["ds"]]
    likely = [words.period(ds) for ds in ahead[ahead["prob_above"] > 0.5]["ds"]]
    if not likely:
        note = f"In none of these periods is {what} more likely than not."
    elif len(likely) == len(ahead):
        note = f"In all of these periods {what} is more likely than not."
    else:
        to_the_end = len(likely) > 1 and likely == periods[-len(likely) :]
        when = f"from {likely[0]} on" if to_the_end else in_period(listed(likely))
        note = f"{what[:1].upper()}{what[1:]} is more likely than not {when}."
    rows = tuple(Row(words.period(row["ds"]), (chance(row["prob_above"]),)) for _, row in ahead.iterrows())
    caption = f"Chance of {what}, {words.area}{words.label}"
    return replace(
        block,
        chance_title=f"Chance of more than {threshold:,.0f}",
        chance_note=note,
        chance=table(caption, ("Period", "Chance"), rows),
    )


def _breaks(history: pd.DataFrame) -> dict[pd.Timestamp, str]:
    """First period of each break in the series and what the note says of it."""
    breaks: dict[pd.Timestamp, str] = {}
    for ds, note in zip(history["ds"], history["note"], strict=True):
        for part in note.split(";"):
            kind, _, text = part.strip().partition(":")
            if kind == SERIES_BREAK and text.strip() not in breaks.values():
                breaks[ds] = text.strip()
    return breaks


def _age(words: _Words, history: pd.DataFrame, ahead: pd.DataFrame, as_of: pd.Timestamp) -> tuple[str, ...]:
    """Say that the latest figure is more than two periods old, and which projected periods have passed."""
    known = history[history["usable"].notna()]["ds"]
    if not len(known):
        return ()
    counted_in_january = words.freq == "YS" and words.kind.stock
    latest_passed = period_index(as_of, words.freq) - (not counted_in_january)
    periods = latest_passed - period_index(known.max(), words.freq)
    if periods <= OLD:
        return ()
    passed = sum(period_index(ds, words.freq) <= latest_passed for ds in ahead["ds"])
    which = f"all {passed}" if passed == len(ahead) else f"{passed} of the {len(ahead)}"
    told = f" By then {which} {period_word(words.freq, len(ahead))} projected here had passed." if passed else ""
    return (
        f"The latest figure is for {words.period(known.max())}, {periods} {period_word(words.freq, periods)} before "
        f"{day(as_of)}, the day these figures were known by.{told}",
    )


def _remarks(words: _Words, history: pd.DataFrame, breaks: dict[pd.Timestamp, str]) -> tuple[str, ...]:
    remarks = [
        f"Series break at {words.period(ds)}: {text or 'figures before and after differ in kind'}."
        for ds, text in breaks.items()
    ]
    seen: dict[str, list[str]] = {}
    for ds, note in zip(history["ds"], history["note"], strict=True):
        for part in filter(None, (part.strip() for part in note.split(";"))):
            if not re.match(rf"{SERIES_BREAK}\b", part):
                seen.setdefault(part, []).append(words.period(ds))
    for text, when in seen.items():
        span = when[0] if len(when) == 1 else f"{when[0]} to {when[-1]}"
        remarks.append(f"{span}: {text.replace('_', ' ')}.")
    return tuple(remarks)
