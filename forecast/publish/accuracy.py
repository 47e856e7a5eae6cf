"""How accurate the model has been, beside the simple rules, on the same past forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast.evaluate.metrics import MIN_ORIGINS, summarise
from forecast.publish.run import Area, RunRecord, Target
from forecast.publish.view import Accuracy, Group, Row, Table
from forecast.publish.words import LEVEL_PLURALS, LIKELY, listed, model_name, percent, period_word

SIMPLE_RULES = ("naive", "seasonal_naive", "drift")
HORIZONS = (1, 2, 3, 5)
CELL = ["unique_id", "origin", "horizon"]
NEARLY_ALL = 0.95
INSIDE = f"How often the true figure fell inside the {LIKELY} range (80% is right)"


def shown_horizons(horizon: int) -> tuple[int, ...]:
    """Return the horizons in the tables: 1, 2, 3, 5 and the last.

    >>> shown_horizons(3), shown_horizons(6)
    ((1, 2, 3), (1, 2, 3, 5, 6))
    """
    return tuple(sorted({h for h in (*HORIZONS, horizon) if h <= horizon}))


def accuracy(run: RunRecord, target: Target, measure: str, area: Area) -> Accuracy:
    """Say how past forecasts did for an area and for all areas of its kind.

    Parameters
    ----------
    run : RunRecord
    target : Target
    measure : str
    area : Area

    Returns
    -------
    Accuracy
        One table over all areas of the level (on the forecasts that all its methods made, so that the
        comparison is fair), one over the areas where every method was tried if those are fewer, and one
        for the area itself if at least three past forecasts can be checked.
    """
    cells = _cells(run, target, measure)
    level = cells[cells["geographic_level"].eq(area.level)]
    own = level[level["area_code"].eq(area.code)]
    horizons = range(1, target.horizon + 1)
    measured = measured_horizons(level, target)
    if not measured:
        return Accuracy((f"Accuracy not measured: fewer than {MIN_ORIGINS} past forecasts can be checked yet.",))
    sentences = [
        f"Each check made the forecast as if in a past {period_word(target.freq)}, from earlier figures only, and "
        "compared it with what happened (rolling-origin evaluation). The error is the average miss, in per cent "
        "of the true figures: smaller is better.",
    ]
    if unmeasured := [h for h in horizons if h not in measured]:
        ahead = f"{listed([str(h) for h in unmeasured])} {period_word(target.freq, unmeasured[-1])} ahead"
        sentences.append(
            f"Accuracy not measured {ahead}: fewer than {MIN_ORIGINS} past forecasts can be checked yet. Treat "
            "those projections with more care."
        )
    tables = list(_pooled(level, target, area.level)) if len(level["area_code"].unique()) > 1 else []
    name = area.name
    if measured_horizons(own, target):
        fair = _common(own)
        loses_none = measured_horizons(fair, target) == measured_horizons(own, target)
        cells_alone = fair if loses_none else _by_reach(own, target)[0]
        tables.append(_table(cells_alone, target, f"Past forecasts, {name} alone"))
    else:
        sentences.append(
            f"For {name} alone accuracy is not measured: fewer than {MIN_ORIGINS} past forecasts can be checked."
        )
    return Accuracy(tuple(sentences), tuple(tables))


def pooled_accuracy(run: RunRecord, target: Target, measure: str, level: str) -> tuple[Table, ...]:
    """Return the tables over all areas of a level, or none where nothing was measured."""
    cells = _cells(run, target, measure)
    cells = cells[cells["geographic_level"].eq(level)]
    return _pooled(cells, target, level) if measured_horizons(cells, target) else ()


def measured_horizons(cells: pd.DataFrame, target: Target) -> tuple[int, ...]:
    """Return the horizons at which the target's model was measured, ascending."""
    wape = _errors(cells[cells["model"].eq(target.model)])
    return tuple(int(h) for h in wape[wape["wape"].notna()]["horizon"])


def how_sure(run: RunRecord, target: Target, measure: str, area: Area) -> str:
    """Say in one sentence how far off the model has been at the longest measured horizon of the tables."""
    cells = _cells(run, target, measure)
    level = cells[cells["geographic_level"].eq(area.level) & cells["model"].eq(target.model)]
    own = level[level["area_code"].eq(area.code)]
    for rows, whose in (
        (own, f"forecasts for {area.name}"),
        (level, f"forecasts for {LEVEL_PLURALS.get(area.level, 'areas')}"),
    ):
        found = _errors(rows[rows["horizon"].isin(shown_horizons(target.horizon))]).dropna(subset=["wape"])
        if len(found):
            last = found.iloc[-1]
            ahead = f"{int(last['horizon'])} {period_word(target.freq, int(last['horizon']))} ahead"
            end = f"{target.horizon} {period_word(target.freq, target.horizon)} ahead"
            beyond = "" if last["horizon"] == target.horizon else f" Accuracy {end} is not measured."
            return f"In past checks, {whose} {ahead} missed by {percent(last['wape'])} on average.{beyond}"
    return "Accuracy not measured: too few past forecasts can be checked yet."


def _cells(run: RunRecord, target: Target, measure: str) -> pd.DataFrame:
    scores = run.scores
    chosen = scores["target"].eq(target.name) & scores["measure"].eq(measure) & scores["actual"].notna()
    return scores[chosen & scores["point"].notna()]


def _errors(cells: pd.DataFrame) -> pd.DataFrame:
    return summarise(cells, by=["model", "horizon"]).sort_values(["model", "horizon"])


def _pooled(cells: pd.DataFrame, target: Target, level: str) -> tuple[Table, ...]:
    kind = LEVEL_PLURALS.get(level, "areas")
    everywhere, fewer = _by_reach(cells, target)
    tables = [_table(everywhere, target, f"Past forecasts, all {len(everywhere['area_code'].unique())} {kind}")]
    tried = 0 if fewer is None else len(fewer["area_code"].unique())
    if fewer is not None and tried > 1:
        places = f"the {tried} {kind} where every method was tried"
        tables.append(_table(fewer, target, f"Past forecasts, {places}"))
    return tuple(tables)


def _by_reach(cells: pd.DataFrame, target: Target) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Split methods tried (nearly) everywhere from those tried on fewer areas, each on common cells only."""
    count = cells.groupby("model")["unique_id"].size()
    wide = count[count >= NEARLY_ALL * count[target.model]].index
    everywhere = _common(cells[cells["model"].isin(wide)])
    if len(wide) == len(count):
        return everywhere, None
    return everywhere, _common(cells)


def _common(cells: pd.DataFrame) -> pd.DataFrame:
    models = cells["model"].nunique()
    made_by = cells.groupby(CELL)["model"].transform("nunique")
    return cells[made_by.eq(models)]


def _table(cells: pd.DataFrame, target: Target, caption: str) -> Table:
    horizons = shown_horizons(target.horizon)
    found = _errors(cells).set_index(["model", "horizon"])
    models = set(cells["model"])
    order = [target.model, *SIMPLE_RULES, *sorted(models - {target.model, *SIMPLE_RULES})]
    rows = []
    for name in order:
        if name in models:
            label = model_name(name, target.freq)
            label = f"This forecast: {label[:1].lower()}{label[1:]}" if name == target.model else label
            rows.append(Row(label, _line(found, name, horizons, "wape", 1), strong=name == target.model))
    inside = Row("This forecast", _line(found, target.model, horizons, "coverage_80", 0))
    columns = ("Method", *(f"{h} {period_word(target.freq, h)} ahead" for h in horizons))
    groups = (Group("Average error", tuple(rows)), Group(INSIDE, (inside,)))
    return Table(caption, columns, groups)


def _line(found: pd.DataFrame, model: str, horizons: Sequence[int], metric: str, decimals: int) -> tuple[str, ...]:
    values = found[metric].to_dict()
    return tuple(percent(values.get((model, h), float("nan")), decimals) for h in horizons)
