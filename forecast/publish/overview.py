"""All areas of a measure in one table: what the page gives when there are too many areas for charts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from forecast.publish.run import RunRecord, Target
from forecast.publish.tables import chosen_forecasts, on_page
from forecast.publish.view import Row, Table, table
from forecast.publish.words import LIKELY, interval, measure, number, percent_change, period_name

TABLE_HORIZONS = (1, 3, 5)
MISSING = float("nan")


def all_areas(run: RunRecord, target: Target, name: str) -> Table:
    """Return one row an area, sorted by name.

    Parameters
    ----------
    run : RunRecord
    target : Target
    name : str
        Measure.

    Returns
    -------
    Table
        Last outturn (with its period if older than the others'), projection 1, 3 and 5 periods ahead with
        its 80 % interval, and the change to the last of them.
    """
    ahead = chosen_forecasts(run, target)
    ahead = ahead[ahead["measure"].eq(name) & ahead["horizon"].isin(TABLE_HORIZONS)]
    points = {(row["area_code"], row["horizon"]): row for row in ahead.to_dict("records")}
    history = on_page(run.history, target)
    known = history[history["measure"].eq(name) & history["usable"].notna()].sort_values("ds")
    last = {row["area_code"]: row for row in known.groupby("area_code").tail(1).to_dict("records")}
    newest = max((row["ds"] for row in last.values()), default=None)

    def words(row: Mapping[Hashable, Any]) -> str:
        return period_name(row["ds"], freq=target.freq, stock=measure(name).stock)

    dates = {row["horizon"]: words(row) for row in points.values()}
    horizons = sorted(dates)
    rows = []
    for area in sorted(target.areas, key=lambda area: area.name):
        outturn = last.get(area.code)
        start = number(outturn["usable"]) if outturn else "-"
        cells = [f"{start} ({words(outturn)})" if outturn and outturn["ds"] != newest else start]
        found = [points.get((area.code, horizon)) for horizon in horizons]
        for point in found:
            cells += [number(point["median"]), interval(point["lo-80"], point["hi-80"])] if point else ["-", "-"]
        end = found[-1]["median"] if found and found[-1] else MISSING
        cells.append(percent_change(end, outturn["usable"] if outturn else MISSING))
        rows.append(Row(area.name, tuple(cells)))
    heads = [head for horizon in horizons for head in (dates[horizon], f"{dates[horizon]}, {LIKELY} range")]
    actual = "Actual" if newest is None else f"Actual {words({'ds': newest})}"
    columns = ("Area", actual, *heads, "Change")
    label = " (synthetic data)" if run.synthetic(target.name) else ""
    return table(f"{measure(name).title}: all {len(target.areas)} areas{label}", columns, tuple(rows))
