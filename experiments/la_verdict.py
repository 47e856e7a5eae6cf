"""What the scores say against the stated targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.la_methods import AUTO, CEILINGS, EHC, FIXED, TRUTH, TRUTH_ALONE
from experiments.la_scores import Gain, Scored, at_each_origin, averages, best_of, gain, origin_counts, pooled
from experiments.la_tables import on_its_origins
from experiments.tables import text_table

ALL, SINCE_2018 = "all origins", "origins 2018 on"
WITHIN = 1.02
COVERAGE_80 = (74.0, 86.0)


@dataclass(frozen=True)
class Target:
    """What `ehc` is to reach on a measure.

    Attributes
    ----------
    origins : str
        Label of the origins it is to reach it over; others are reported without a verdict.
    below_best : mapping of horizon to float
        Per cent below the best fixed method.
    area_part : mapping of horizon to float
        Per cent the area part gains, given the true national total.
    coverage_80 : tuple of float
        Pooled 80 % coverage of areas, from and to.
    """

    origins: str
    below_best: Mapping[int, float]
    area_part: Mapping[int, float]
    coverage_80: tuple[float, float]


TARGETS = {
    "requests": Target(ALL, {1: 5, 2: 15, 3: 20}, {1: 5, 2: 10, 3: 14}, (72, 90)),
    "caseload": Target(SINCE_2018, {1: 10, 3: 12, 5: 12}, {1: 9, 3: 8, 5: 5}, (74, 88)),
}


def gains(scored: Scored) -> list[Gain]:
    """Compare `ehc` with the best fixed method in hindsight and with `auto`, at each horizon."""
    others = [(best_of(scored, FIXED, h, beside=EHC), AUTO) for h in scored.horizons]
    return [gain(scored, EHC, other, h) for h, pair in zip(scored.horizons, others, strict=True) for other in pair]


def area_part(scored: Scored) -> list[Gain]:
    """Compare the two that are told the true national total: with the area part and without."""
    return [gain(scored, TRUTH, TRUTH_ALONE, h) for h in scored.horizons]


def gain_rows(measure: str, compared: Sequence[Gain]) -> list[list[str]]:
    """Lay out comparisons of two methods."""
    rows = [
        [f"{measure}: one against another", "origins", "WAPE %", "the other", "below it by %", "95 % of difference"]
    ]
    for one in compared:
        label = f"+{one.horizon}: {one.method} against {one.other}"
        told = [f"{one.wape:.2f}", f"{one.other_wape:.2f}", f"{one.percent:+.1f}", f"{one.low:+.2f} to {one.high:+.2f}"]
        rows.append([label, str(one.origins), *told])
    return rows


def demand_verdict(scored: Scored, label: str) -> list[str]:
    """Say of one set of origins whether `ehc` reaches its targets.

    Parameters
    ----------
    scored : Scored
        With `ehc` and its ceilings.
    label : str
        The origins.
    """
    target = TARGETS[scored.measure]
    asked = label == target.origins
    lines = [f"{scored.measure}, {label}" + ("" if asked else f" (targets are asked of {target.origins})")]
    for one in gains(scored):
        if one.other != AUTO:
            wanted = target.below_best[one.horizon] if asked else None
            lines.append(_against("below the best fixed method", one, wanted))
    for one in area_part(scored):
        wanted = target.area_part[one.horizon] if asked else None
        lines.append(_against("area part, given the true total", one, wanted))
    low, high = target.coverage_80
    over_all = pooled(scored).loc[EHC].to_dict()
    covered = over_all["coverage_80"]
    reached = f" (target {low:.0f} to {high:.0f}): {_met(low <= covered <= high)}" if asked else ""
    lines.append(f"  80 % coverage of areas: {covered:.1f}{reached}; 95 %: {over_all['coverage_95']:.1f}")
    lines.append(f"  nation within 80 %: {over_all['total_80']:.0f} %, within 95 %: {over_all['total_95']:.0f} %")
    bias = at_each_origin(scored.cells, "bias")
    for horizon in scored.horizons:
        at = sorted(origin for model, h, origin in bias if (model, h) == (EHC, horizon))
        told = ", ".join(f"{origin.year} {bias[EHC, horizon, origin]:+.1f}" for origin in at)
        lines.append(f"  bias % per origin +{horizon}: {told}")
    return lines


def _against(what: str, one: Gain, target: float | None) -> str:
    said = f"{one.wape:.2f} against {one.other_wape:.2f} ({one.other}, {_counted(one.origins)})"
    reached = ""
    if target is not None:
        short = "" if one.percent >= target else f" by {target - one.percent:.1f}"
        reached = f" (target {target:.0f}): {_met(one.percent >= target)}{short}"
    return f"  +{one.horizon} {what}: {one.percent:+.1f} %{reached}; {said}"


def _counted(origins: int) -> str:
    return f"{origins} origin{'s' * (origins != 1)}"


def demand_report(scored: Scored, label: str) -> str:
    """Put the comparisons and the verdict on one set of origins into text."""
    rows = gain_rows(f"{scored.measure}, {label}", [*gains(scored), *area_part(scored)])
    return text_table(rows) + "\n\n" + "\n".join(demand_verdict(scored, label))


def auto_against_best(scored: Scored) -> list[tuple[int, float, str, float]]:
    """Return horizon, WAPE of `auto`, and the best other generic method that answered every origin with its WAPE."""
    wape, counts = averages(scored), origin_counts(scored)
    rows = []
    for horizon in scored.horizons:
        others = wape.loc[counts[horizon] == counts[horizon].max(), horizon]
        others = others.drop([AUTO, EHC, *CEILINGS], errors="ignore")
        best, at = str(others.idxmin()), wape[horizon].to_dict()
        rows.append((horizon, at[AUTO], best, at[best]))
    return rows


def auto_verdict(scored: Sequence[Scored], *, alone: Sequence[str], alone_on: str = "caseload") -> list[str]:
    """Say whether `auto` reaches its targets.

    Parameters
    ----------
    scored : sequence of Scored
    alone : sequence of str
        Methods that see one area at a time; `auto` is to be below each of them.
    alone_on : str
        The measure this is asked of.
    """
    lines = [f"auto / best listed method that answered every origin, ehc apart (target: at most {WITHIN:.2f})"]
    for one in scored:
        for horizon, auto, best, best_wape in auto_against_best(one):
            said = f"{auto / best_wape:.3f} = {auto:.2f} / {best_wape:.2f} ({best})"
            lines.append(f"  {one.measure} {horizon}: {said}: {_met(auto / best_wape <= WITHIN)}")
    missed = [(one.measure, row) for one in scored for row in on_its_origins(one) if row.model != EHC]
    if missed:
        lines.append("auto / methods that missed early origins, on the origins they answered")
    for measure, row in missed:
        said = f"{row.auto / row.wape:.3f} = {row.auto:.2f} / {row.wape:.2f}"
        lines.append(f"  {measure} {row.horizon}: {row.model} (origins: {row.origins}): {said}")
    for one in scored:
        if one.measure == alone_on:
            wape = averages(one)
            below = (wape.loc[list(alone)] > wape.loc[AUTO]).all().all()
            answer = "yes" if below else "no"
            lines.append(f"auto below {', '.join(alone)} at every horizon of {alone_on}: {answer}")
    low, high = COVERAGE_80
    lines.append(f"pooled 80 % coverage of auto (target: {low:.0f} to {high:.0f})")
    for one in scored:
        covered = pooled(one)["coverage_80"].to_dict()[AUTO]
        lines.append(f"  {one.measure}: {covered:.1f}: {_met(low <= covered <= high)}")
    return lines


def _met(target: bool) -> str:
    return "met" if target else "missed"
