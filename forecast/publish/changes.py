"""What changed since the last release: the same periods, then and now, and what came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from forecast.publish.run import Area, RunRecord, Target
from forecast.publish.tables import numeric
from forecast.publish.view import Changes, Group, Row, Table
from forecast.publish.words import (
    day,
    interval,
    measure,
    number,
    percent_change,
    period_name,
    rounding_unit,
)

KEY = ["measure", "area_code", "period_start"]
COMPARED = ("Period", "Last release", "This release", "Change")
CAME_TRUE = ("Period", "Projected then", "4 in 5 range then", "Outturn", "Inside the range")


@dataclass(frozen=True)
class Previous:
    """The release before: its `projections.csv` as `read_projections` gives it, and the day it came out."""

    table: pd.DataFrame
    published: pd.Timestamp


def changes(
    run: RunRecord, current: pd.DataFrame, previous: Previous | None, areas: dict[str, tuple[Area, ...]]
) -> Changes:
    """Compare this release with the one before.

    Parameters
    ----------
    run : RunRecord
    current : DataFrame
        `projections(run)`.
    previous : Previous or None
    areas : mapping
        By target, the areas to compare; the first one is told in sentences.

    Returns
    -------
    Changes
    """
    if previous is None:
        return Changes(("This is the first release, so there is nothing to compare it with.",))
    then = f"{day(previous.published)} (figures as at {day(pd.Timestamp(previous.table['as_of'].iloc[0]))})"
    both = previous.table.merge(numeric(current), on=KEY, suffixes=("_old", ""))
    both = both[both["value_type_old"].eq("projection")]
    sentences, tables = [f"Compared with the release of {then}."], []
    for target in run.targets:
        for name in target.measures:
            rows = both[both["measure"].eq(name)]
            title = f"{measure(name).title}{' (synthetic data)' if run.synthetic(target.name) else ''}"
            sentences.append(_sentence(rows, target, title, areas[target.name][0]))
            tables += _tables(rows, target, title, areas[target.name])
    return Changes(tuple(sentences), tuple(tables))


def _sentence(rows: pd.DataFrame, target: Target, title: str, area: Area) -> str:
    who = f"{title}, {area.name}"
    own = rows[rows["area_code"].eq(area.code)].sort_values("period_start")
    still, came = own[own["value_type"].eq("projection")], own[own["value_type"].eq("outturn")]
    came = came[came["value"].notna()]
    parts = []
    if len(came):
        last = came.iloc[-1]
        unit = rounding_unit(last["lower_80_old"], last["upper_80_old"])
        where = "inside" if last["lower_80_old"] <= last["value"] <= last["upper_80_old"] else "outside"
        parts.append(
            f"{_period(last, target)} came in at {number(last['value'])}; the last release projected about "
            f"{number(last['median_old'], unit)}, {where} its 4 in 5 range"
        )
    if len(still):
        last = still.iloc[-1]
        unit = rounding_unit(last["lower_80"], last["upper_80"])
        was, now = number(last["median_old"], unit), number(last["median"], unit)
        moved = (
            f"is still about {now}"
            if was == now
            else f"was about {was} and is now about {now} ({percent_change(last['median'], last['median_old'])})"
        )
        parts.append(f"the projection for {_period(last, target)} {moved}")
    return f"{who}: {'; '.join(parts)}." if parts else f"{who}: not in the last release."


def _tables(rows: pd.DataFrame, target: Target, title: str, areas: Sequence[Area]) -> list[Table]:
    compared, came_true = [], []
    for area in areas:
        own = rows[rows["area_code"].eq(area.code)].sort_values("period_start")
        still = own[own["value_type"].eq("projection")]
        came = own[own["value_type"].eq("outturn") & own["value"].notna()]
        if len(still):
            compared.append(Group(area.name, tuple(_moved(r, target) for _, r in still.iterrows())))
        if len(came):
            came_true.append(Group(area.name, tuple(_came(r, target) for _, r in came.iterrows())))
    tables = [Table(f"{title}: projections then and now", COMPARED, tuple(compared))] if compared else []
    if came_true:
        tables.append(Table(f"{title}: new outturns", CAME_TRUE, tuple(came_true)))
    return tables


def _moved(row: pd.Series, target: Target) -> Row:
    old, new = row["median_old"], row["median"]
    return Row(_period(row, target), (number(old), number(new), percent_change(new, old)))


def _came(row: pd.Series, target: Target) -> Row:
    low, high = row["lower_80_old"], row["upper_80_old"]
    inside = "yes" if low <= row["value"] <= high else "no"
    return Row(_period(row, target), (number(row["median_old"]), interval(low, high), number(row["value"]), inside))


def _period(row: pd.Series, target: Target) -> str:
    return period_name(row["period_start"], freq=target.freq, stock=measure(str(row["measure"])).stock)
