"""How accurate the model has been, beside the simple rules, on the same past forecasts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from forecast.evaluate.metrics import MIN_ORIGINS, common_cells, summarise
from forecast.publish.choice import members
from forecast.publish.run import Area, RunRecord, Target
from forecast.publish.view import Accuracy, Group, Row, Table
from forecast.publish.words import LEVEL_PLURALS, LIKELY, in_sentence, listed, model_name, percent, period_word

SIMPLE_RULES = ("naive", "seasonal_naive", "drift")
YEARS = (1, 2, 3, 5)
SHORTER = (1, 3, 6, 9)
NEARLY_ALL = 0.95
INSIDE = f"How often the true figure fell inside the {LIKELY} range (80% is right)"


def shown_horizons(horizon: int, freq: str) -> tuple[int, ...]:
    """Return the horizons in the tables: 1, 2, 3, 5 years and the last; of shorter periods 1, 3, 6, 9 and the last.

    >>> shown_horizons(3, "YS"), shown_horizons(6, "YS"), shown_horizons(12, "MS")
    ((1, 2, 3), (1, 2, 3, 5, 6), (1, 3, 6, 9, 12))
    """
    return tuple(sorted({h for h in (*(YEARS if freq == "YS" else SHORTER), horizon) if h <= horizon}))


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
        One table over all areas of the level, one over the areas where every method was tried if those are
        fewer, and one for the area itself if at least three past forecasts can be checked. Each column of a
        table is on the past forecasts that all methods measured there made, so that the comparison is fair.
    """
    cells = _cells(run, target, measure)
    level = cells[cells["geographic_level"].eq(area.level)]
    own = level[level["area_code"].eq(area.code)]
    measured = measured_horizons(level, target)
    if not measured:
        return Accuracy((f"Accuracy not measured: fewer than {MIN_ORIGINS} past forecasts can be checked yet.",))
    sentences = [
        f"Each check made the forecast as if in a past {period_word(target.freq)}, from earlier figures only, and "
        "compared it with what happened (rolling-origin evaluation). The error is the average miss, in per cent "
        "of the true figures: smaller is better. Within a column, all methods are compared on the same past forecasts; "
        f"one with fewer than {MIN_ORIGINS} is not measured.",
    ]
    if unmeasured := [h for h in range(1, target.horizon + 1) if h not in measured]:
        ahead = f"{listed([str(h) for h in unmeasured])} {period_word(target.freq, unmeasured[-1])} ahead"
        sentences.append(
            f"Accuracy not measured {ahead}: fewer than {MIN_ORIGINS} past forecasts can be checked yet. Treat "
            "those projections with more care."
        )
    tables = list(_pooled(level, target, area.level)) if len(level["area_code"].unique()) > 1 else []
    if tables and (other := _combined_otherwise(run, target, measure, area)):
        sentences.append(other)
    if _measured_in_tables(own, target):
        fair = _fair(own, target)
        tables.append(_table(fair, target, f"Past forecasts, {area.name} alone", methods=set(own["model"])))
    else:
        sentences.append(
            f"For {area.name} alone accuracy is not measured: fewer than {MIN_ORIGINS} past forecasts can be checked."
        )
    return Accuracy(tuple(sentences), tuple(tables))


def pooled_accuracy(run: RunRecord, target: Target, measure: str, level: str) -> tuple[Table, ...]:
    """Return the tables over all areas of a level, or none where nothing was measured."""
    cells = _cells(run, target, measure)
    return _pooled(cells[cells["geographic_level"].eq(level)], target, level)


def measured_horizons(cells: pd.DataFrame, target: Target) -> tuple[int, ...]:
    """Return the horizons at which the target's model was measured, ascending."""
    wape = _errors(cells[cells["model"].eq(target.model)])
    return tuple(int(h) for h in wape[wape["wape"].notna()]["horizon"])


def how_sure(run: RunRecord, target: Target, measure: str, area: Area) -> str:
    """Say in one sentence how far off the model has been at the longest measured horizon of the tables."""
    cells = _cells(run, target, measure)
    level = cells[cells["geographic_level"].eq(area.level)]
    own = level[level["area_code"].eq(area.code)]
    for rows, whose in (
        (own, f"forecasts for {area.name}"),
        (level[level["model"].isin(_wide(level, target))], f"forecasts for {LEVEL_PLURALS.get(area.level, 'areas')}"),
    ):
        if horizons := _measured_in_tables(rows, target):
            last = horizons[-1]
            wape = _errors(_fair(rows, target)).set_index(["model", "horizon"])["wape"]
            ahead = f"{last} {period_word(target.freq, last)} ahead"
            end = f"{target.horizon} {period_word(target.freq, target.horizon)} ahead"
            beyond = "" if last == target.horizon else f" Accuracy {end} is not measured."
            missed = percent(wape.loc[(target.model, last)])
            return f"In past checks, {whose} {ahead} missed by {missed} on average.{beyond}"
    return "Accuracy not measured: too few past forecasts can be checked yet."


def _cells(run: RunRecord, target: Target, measure: str) -> pd.DataFrame:
    scores = run.scores
    chosen = scores["target"].eq(target.name) & scores["measure"].eq(measure) & scores["actual"].notna()
    return scores[chosen & scores["point"].notna()]


def _combined_otherwise(run: RunRecord, target: Target, measure: str, area: Area) -> str:
    """Say for how many areas of the level the forecast combines other methods than for this one; "" for none."""
    ledger = run.ledger[run.ledger["target"].eq(target.name) & run.ledger["measure"].eq(measure)]
    level = ledger[ledger["geographic_level"].eq(area.level) & ledger["status"].eq("ok")]
    mixed = {code: members(reason) for code, reason in zip(level["area_code"], level["reason"], strict=True)}
    own = mixed.get(area.code)
    other = sum(methods != own for methods in mixed.values())
    if not own or not other:
        return ""
    kind = LEVEL_PLURALS.get(area.level, "areas")
    return (
        f"Over all {kind}, this forecast is not everywhere made as for {area.name}: for {other} of {len(mixed)} it "
        "combines other methods."
    )


def _errors(cells: pd.DataFrame) -> pd.DataFrame:
    return summarise(cells, by=["model", "horizon"]).sort_values(["model", "horizon"])


def _measured_in_tables(cells: pd.DataFrame, target: Target) -> tuple[int, ...]:
    shown = shown_horizons(target.horizon, target.freq)
    return tuple(h for h in measured_horizons(cells, target) if h in shown)


def _pooled(cells: pd.DataFrame, target: Target, level: str) -> tuple[Table, ...]:
    """Tables over the areas of a level: methods tried (nearly) everywhere, and all where every one was tried.

    A method that is measured nowhere gets a row that says so in the last of the tables.
    """
    if not _measured_in_tables(cells, target):
        return ()
    kind = LEVEL_PLURALS.get(level, "areas")
    wide = _wide(cells, target)
    found = _errors(cells)
    measured = set(found[found["wape"].notna()]["model"])
    unmeasured = set(cells["model"]) - measured
    tried = cells[cells["model"].isin(measured)].groupby("unique_id")["model"].nunique()
    in_scope = cells[cells["unique_id"].isin(tried[tried == len(measured)].index)]
    fewer = common_cells(in_scope, within=["horizon"])
    places = len(fewer["area_code"].unique())
    compared = bool(measured - wide) and places > 1 and _measured_in_tables(fewer, target)
    everywhere = _fair(cells[cells["model"].isin(wide)], target)
    caption = f"Past forecasts, all {len(everywhere['area_code'].unique())} {kind}"
    first = _table(everywhere, target, caption, methods=wide if compared else wide | unmeasured)
    if not compared:
        return (first,)
    caption = f"Past forecasts, the {places} {kind} where every method was tried"
    return first, _table(fewer, target, caption, methods=set(cells["model"]))


def _wide(cells: pd.DataFrame, target: Target) -> set[str]:
    """Return the methods tried (nearly) everywhere the target's model was."""
    count = cells.groupby("model")["unique_id"].size()
    return set(count[count >= NEARLY_ALL * count.get(target.model, 0)].index)


def _fair(cells: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Keep the past forecasts that the methods share, unless that unmeasures a horizon of the target's model."""
    whole = measured_horizons(cells, target)
    for methods in (set(cells["model"]), _wide(cells, target)):
        common = common_cells(cells[cells["model"].isin(methods)], within=["horizon"])
        if measured_horizons(common, target) == whole:
            return common
    return cells[cells["model"].eq(target.model)]


def _table(cells: pd.DataFrame, target: Target, caption: str, *, methods: Collection[str]) -> Table:
    horizons = shown_horizons(target.horizon, target.freq)
    found = _errors(cells).set_index(["model", "horizon"])
    order = [target.model, *SIMPLE_RULES, *sorted(set(methods) - {target.model, *SIMPLE_RULES})]
    rows = []
    for name in order:
        if name in methods:
            label = model_name(name, target.freq)
            label = f"This forecast: {in_sentence(label)}" if name == target.model else label
            rows.append(Row(label, _line(found, name, horizons, "wape", 1), strong=name == target.model))
    inside = Row("This forecast", _line(found, target.model, horizons, "coverage_80", 0))
    columns = ("Method", *(f"{h} {period_word(target.freq, h)} ahead" for h in horizons))
    groups = (Group("Average error", tuple(rows)), Group(INSIDE, (inside,)))
    return Table(caption, columns, groups)


def _line(found: pd.DataFrame, model: str, horizons: Sequence[int], metric: str, decimals: int) -> tuple[str, ...]:
    values = found[metric].to_dict()
    return tuple(percent(values.get((model, h), float("nan")), decimals) for h in horizons)
