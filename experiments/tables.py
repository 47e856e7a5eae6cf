"""What rolling-origin scores say: averages over origins, fair comparisons, the verdict, and text of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from forecast.evaluate.metrics import summarise

AUTO = "auto"
WITHIN = 1.02
COVERAGE_80 = (74.0, 86.0)
KEY = ["unique_id", "origin", "horizon"]


@dataclass(frozen=True)
class Scored:
    """Scores of every method on one measure.

    Attributes
    ----------
    measure : str
    horizons : tuple of int
        Horizons the table shows.
    cells : DataFrame
        unique_id, model, origin, horizon and the statistics of `forecast.evaluate.metrics`.
    seconds : mapping of method to float
        Wall time of running and scoring it.
    """

    measure: str
    horizons: tuple[int, ...]
    cells: pd.DataFrame
    seconds: Mapping[str, float]

    @property
    def methods(self) -> list[str]:
        """Names, in the order they ran."""
        return list(self.seconds)


def fair(cells: pd.DataFrame) -> pd.DataFrame:
    """Keep, at each origin and horizon, the series that every method with an answer there has answered."""
    present = cells.groupby(["origin", "horizon"])["model"].transform("nunique")
    return cells[cells.groupby(KEY)["model"].transform("nunique") == present].reset_index(drop=True)


def wapes(scored: Scored, cells: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """WAPE in per cent, taken per origin and then averaged, and the origins it is averaged over.

    Returns
    -------
    wape, origins : DataFrame
        A row a method, a column a horizon; NaN and 0 where a method has no answer.
    """
    rows = summarise(scored.cells if cells is None else cells, by=["model", "horizon"], min_origins=1)
    wide = rows.pivot(index="model", columns="horizon", values=["wape", "n_origins"])
    shape = {"index": scored.methods, "columns": list(scored.horizons)}
    return 100 * wide["wape"].reindex(**shape), wide["n_origins"].reindex(**shape).fillna(0).astype(int)


def pooled(scored: Scored) -> pd.DataFrame:
    """Coverage over all cells of the shown horizons, and bias per origin, averaged; all in per cent."""
    shown = scored.cells[scored.cells["horizon"].isin(scored.horizons)]
    coverage = shown.groupby("model")[["covered_80", "covered_95"]].mean()
    bias = summarise(shown, by=["model"], min_origins=1).set_index("model")["bias"]
    named = coverage.rename(columns={"covered_80": "coverage_80", "covered_95": "coverage_95"})
    return 100 * named.assign(bias=bias).reindex(scored.methods)


def on_its_origins(scored: Scored) -> pd.DataFrame:
    """Compare each method that missed origins with the others over the origins it answered.

    Returns
    -------
    DataFrame
        model, horizon, origins, wape, auto (WAPE on the same origins), best (name of the best other
        method there) and best_wape.
    """
    _, origins = wapes(scored)
    rows = []
    for horizon in scored.horizons:
        at = scored.cells[scored.cells["horizon"] == horizon]
        for model in origins.index[origins[horizon].between(1, origins[horizon].max() - 1)]:
            own = at.loc[at["model"] == model, "origin"].unique()
            wape, count = wapes(scored, at[at["origin"].isin(own)])
            others = wape.loc[count[horizon] == len(own), horizon].drop([model, AUTO])
            rows.append((model, horizon, len(own), *wape.loc[[model, AUTO], horizon], others.idxmin(), others.min()))
    return pd.DataFrame(rows, columns=["model", "horizon", "origins", "wape", "auto", "best", "best_wape"])


def against_best(scored: Scored) -> pd.DataFrame:
    """`auto` over the best other method that answered every origin: horizon, auto, best, best_wape, ratio."""
    wape, origins = wapes(scored)
    rows = []
    for horizon in scored.horizons:
        others = wape.loc[origins[horizon] == origins[horizon].max(), horizon].drop(AUTO)
        auto = wape.loc[AUTO, horizon]
        rows.append((horizon, auto, others.idxmin(), others.min(), auto / others.min()))
    return pd.DataFrame(rows, columns=["horizon", "auto", "best", "best_wape", "ratio"])


def verdict(scored: Sequence[Scored], *, alone: Sequence[str], alone_on: str = "caseload") -> list[str]:
    """Say, from the numbers, whether the stated targets are met.

    Parameters
    ----------
    scored : sequence of Scored
    alone : sequence of str
        Methods that see one area at a time; `auto` is to be below each of them.
    alone_on : str
        The measure this is asked of.
    """
    lines = [f"auto / best listed method that answered every origin (target: at most {WITHIN:.2f})"]
    for one in scored:
        for row in against_best(one).itertuples():
            best = f"{row.auto:.2f} / {row.best_wape:.2f} ({row.best})"
            lines.append(f"  {one.measure} {row.horizon}: {row.ratio:.3f} = {best}: {_met(row.ratio <= WITHIN)}")
    missed = [(one.measure, row) for one in scored for row in on_its_origins(one).itertuples()]
    if missed:
        lines.append("auto / methods that missed early origins, on the origins they answered")
    for measure, row in missed:
        said = f"{row.auto / row.wape:.3f} = {row.auto:.2f} / {row.wape:.2f}"
        lines.append(f"  {measure} {row.horizon}: {row.model} (origins: {row.origins}): {said}")
    for one in scored:
        if one.measure == alone_on:
            wape, _ = wapes(one)
            below = (wape.loc[list(alone)] > wape.loc[AUTO]).all().all()
            answer = "yes" if below else "no"
            lines.append(f"auto below {', '.join(alone)} at every horizon of {alone_on}: {answer}")
    low, high = COVERAGE_80
    lines.append(f"pooled 80 % coverage of auto (target: {low:.0f} to {high:.0f})")
    for one in scored:
        covered = pooled(one).loc[AUTO, "coverage_80"]
        lines.append(f"  {one.measure}: {covered:.1f}: {_met(low <= covered <= high)}")
    return lines


def _met(target: bool) -> str:
    return "met" if target else "missed"


def accuracy_rows(scored: Sequence[Scored]) -> list[list[str]]:
    """Lay out the table: a header, the number of origins, and a row a method.

    A WAPE over fewer origins than the column's carries their number in brackets.
    """
    header, counts = ["WAPE %"], ["origins"]
    body = {method: [method] for method in scored[0].methods}
    for one in scored:
        (wape, origins), over_all = wapes(one), pooled(one)
        first, *others = one.horizons
        header += [f"{one.measure} +{first}", *(f"+{h}" for h in others), "80 %", "95 %", "bias"]
        counts += [*(str(origins[h].max()) for h in one.horizons), "", "", ""]
        for method, row in body.items():
            for h in one.horizons:
                row.append(_wape(wape.loc[method, h], origins.loc[method, h], origins[h].max()))
            coverage_80, coverage_95, bias = over_all.loc[method]
            measured = [f"{coverage_80:.0f}", f"{coverage_95:.0f}", f"{bias:+.1f}"]
            row.extend(["-"] * 3 if pd.isna(bias) else measured)
    for method, row in body.items():
        row.append(f"{sum(one.seconds[method] for one in scored):.1f}")
    return [[*header, "seconds"], [*counts, ""], *body.values()]


def _wape(value: float, origins: int, all_origins: int) -> str:
    if not origins:
        return "-"
    return f"{value:.1f}" if origins == all_origins else f"{value:.1f} ({origins})"


def missed_rows(scored: Sequence[Scored]) -> list[list[str]]:
    """Lay out the methods that missed origins beside `auto` and the best other on the same origins."""
    rows = [["on the origins it answered", "origins", "WAPE %", "auto", "best other"]]
    for one in scored:
        for row in on_its_origins(one).itertuples():
            best = f"{row.best_wape:.1f} ({row.best})"
            label = f"{one.measure} +{row.horizon}: {row.model}"
            rows.append([label, str(row.origins), f"{row.wape:.1f}", f"{row.auto:.1f}", best])
    return rows if len(rows) > 1 else []


def report(scored: Sequence[Scored], *, alone: Sequence[str]) -> str:
    """Put together the table, the methods that missed origins, and the verdict."""
    missed = missed_rows(scored)
    parts = [
        text_table(accuracy_rows(scored)),
        text_table(missed) if missed else "",
        "\n".join(verdict(scored, alone=alone)),
    ]
    return "\n\n".join(filter(None, parts))


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first to the left, figures to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def without(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> list[list[str]]:
    """Leave out the columns of these headings."""
    return [[cell for cell, heading in zip(row, rows[0], strict=True) if heading not in headings] for row in rows]


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the same rows as a Markdown table."""
    header, *body = rows
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *body])
