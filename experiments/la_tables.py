"""Tables of what the scores on the local authorities say: averages, origin by origin, and the nation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from experiments.la_methods import AUTO, CEILINGS, EHC, ORDER
from experiments.la_scores import Scored, at_each_origin, averages, origin_counts, pooled
from experiments.tables import text_table

POOLED = ("80 %", "95 %", "nation 80 %", "nation 95 %", "bias")
NOT_INSTALLED = "not installed"


def accuracy_rows(scored: Sequence[Scored]) -> list[list[str]]:
    """Lay out the table: a header, the number of origins, and a row a method.

    A WAPE over fewer origins than the column's carries their number in brackets.
    """
    header, counts = ["WAPE %"], ["origins"]
    body = {method: [method] for method in methods_of(scored)}
    for one in scored:
        origins = origin_counts(one)
        wape, answered, over_all = averages(one).T.to_dict(), origins.T.to_dict(), pooled(one).T.to_dict()
        first, *others = one.horizons
        header += [f"{one.measure} +{first}", *(f"+{h}" for h in others), *POOLED]
        pairs = str(sum(origins.max()))
        counts += [*(str(most) for most in origins.max()), "", "", pairs, pairs, ""]
        for method, row in body.items():
            if method in one.missing:
                row.extend([NOT_INSTALLED, *["-"] * (len(one.horizons) - 1 + len(POOLED))])
            elif method not in one.seconds:
                row.extend(["-"] * (len(one.horizons) + len(POOLED)))
            else:
                for h in one.horizons:
                    row.append(_marked(wape[method][h], answered[method][h], origins[h].max()))
                *shares, bias = over_all[method].values()
                measured = [*(f"{share:.0f}" for share in shares), f"{bias:+.1f}"]
                row.extend(["-"] * len(POOLED) if pd.isna(bias) else measured)
    for method, row in body.items():
        spent = [one.seconds[method] for one in scored if method in one.seconds]
        row.append(f"{sum(spent):.1f}" if spent else "-")
    return [[*header, "seconds"], [*counts, ""], *body.values()]


def methods_of(scored: Sequence[Scored]) -> list[str]:
    """Names of all methods in the order of the table, those whose package is not installed among them."""
    names = dict.fromkeys(name for one in scored for name in (*one.methods, *one.missing))
    return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def _marked(value: float, origins: int, all_origins: int) -> str:
    if not origins:
        return "-"
    return f"{value:.1f}" if origins == all_origins else f"{value:.1f} ({origins})"


def score_rows(scored: Sequence[Scored], score: str, heading: str, *, nation: bool = False) -> list[list[str]]:
    """Lay out another score by horizon, averaged over origins: of areas, or of their total."""
    header, body = [heading], {method: [method] for method in methods_of(scored)}
    for one in scored:
        first, *others = one.horizons
        header += [f"{one.measure} +{first}", *(f"+{h}" for h in others)]
        values, origins = averages(one, score, one.totals if nation else one.cells).T.to_dict(), origin_counts(one)
        answered = origins.T.to_dict()
        for method, row in body.items():
            there = method in one.seconds
            for h in one.horizons:
                row.append(_marked(values[method][h], answered[method][h], origins[h].max()) if there else "-")
    return [header, *body.values()]


def origin_rows(scored: Scored, score: str, *, signed: bool = False) -> list[list[str]]:
    """Lay out a score at every origin and horizon: a header and a row a method."""
    values = at_each_origin(scored.cells, score)
    shown = sorted({(horizon, origin) for _, horizon, origin in values if horizon in scored.horizons})
    header, previous = [f"{scored.measure}, {score} %"], 0
    for horizon, origin in shown:
        header.append(f"{origin.year}" if horizon == previous else f"+{horizon}: {origin.year}")
        previous = horizon
    rows = [header]
    for method in methods_of([scored]):
        told = [values.get((method, *pair), float("nan")) for pair in shown]
        rows.append([method, *("-" if pd.isna(value) else f"{value:{'+' if signed else ''}.1f}" for value in told)])
    return rows


def nation_rows(scored: Scored, methods: Sequence[str]) -> list[list[str]]:
    """Lay out the total over areas beside its intervals, which are of sums of paths."""
    rows = [[f"nation: {scored.measure}", "origin", "outturn", "point", "error %", "80 % interval", "95 % interval"]]
    shown = scored.totals[scored.totals["model"].isin(methods) & scored.totals["horizon"].isin(scored.horizons)]
    for row in shown.sort_values(["model", "horizon", "origin"]).to_dict("records"):
        intervals = [
            f"{row[f'lo_{level}']:,.0f} to {row[f'hi_{level}']:,.0f} {'in ' if row[f'covered_{level}'] else 'out'}"
            for level in (80, 95)
        ]
        told = [f"{row['actual']:,.0f}", f"{row['point']:,.0f}", f"{100 * row['error'] / row['actual']:+.1f}"]
        rows.append([f"{row['model']} +{row['horizon']}", str(row["origin"].year), *told, *intervals])
    return rows


@dataclass(frozen=True)
class Missed:
    """A method that missed origins, over those it answered.

    Attributes
    ----------
    model : str
    horizon, origins : int
    wape, auto : float
        Of the method and of `auto`, per cent.
    best : str
        The best other method there, ceilings not among them.
    best_wape : float
    """

    model: str
    horizon: int
    origins: int
    wape: float
    auto: float
    best: str
    best_wape: float


def on_its_origins(scored: Scored) -> list[Missed]:
    """Compare each method that missed origins with the others over the origins it answered."""
    counts, found = origin_counts(scored), []
    for horizon in scored.horizons:
        at = scored.cells[scored.cells["horizon"] == horizon]
        missed = counts.index[counts[horizon].between(1, counts[horizon].max() - 1)]
        for model in missed[~missed.isin(CEILINGS)]:
            own = at.loc[at["model"] == model, "origin"].unique()
            there = at[at["origin"].isin(own)]
            wape, count = averages(scored, cells=there)[horizon], there.groupby("model")["origin"].nunique()
            others = wape[count.index[count == len(own)]].drop([model, AUTO, EHC, *CEILINGS], errors="ignore")
            both, best = wape.to_dict(), str(others.idxmin())
            found.append(Missed(model, horizon, len(own), both[model], both[AUTO], best, both[best]))
    return found


def missed_rows(scored: Sequence[Scored]) -> list[list[str]]:
    """Lay out the methods that missed origins beside `auto` and the best other on the same origins."""
    rows = [["on the origins it answered", "origins", "WAPE %", "auto", "best other"]]
    for one in scored:
        for row in on_its_origins(one):
            best = f"{row.best_wape:.1f} ({row.best})"
            label = f"{one.measure} +{row.horizon}: {row.model}"
            rows.append([label, str(row.origins), f"{row.wape:.1f}", f"{row.auto:.1f}", best])
    return rows if len(rows) > 1 else []


def tables(scored: Sequence[Scored]) -> list[str]:
    """Put the averages and the methods that missed origins into text."""
    return [text_table(rows) for rows in (accuracy_rows(scored), missed_rows(scored)) if rows]


def interval_tables(scored: Sequence[Scored]) -> list[str]:
    """Put the interval scores of areas and of the nation into text."""
    wis = score_rows(scored, "wis", "WIS % of outturn"), score_rows(scored, "wis", "of the nation", nation=True)
    return [text_table(rows) for rows in wis]


def origin_tables(scored: Scored) -> list[str]:
    """Put every origin of a measure into text: WAPE, bias, WIS, coverage, and the nation."""
    rows = [
        origin_rows(scored, "wape"),
        origin_rows(scored, "bias", signed=True),
        origin_rows(scored, "wis"),
        origin_rows(scored, "coverage_80"),
        origin_rows(scored, "coverage_95"),
        nation_rows(scored, [name for name in (AUTO, EHC) if name in scored.seconds]),
    ]
    return [text_table(each) for each in rows]
