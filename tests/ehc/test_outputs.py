"""Frames of a made-up projection: what is asked wrongly, what a date means, and what is called modelled."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.ehc.assumptions import Assumptions, PlanningTable
from forecast.ehc.measures import CATEGORIES
from forecast.ehc.outputs import Projection
from forecast.errors import SpecError
from forecast.reference import find_area

PATHS, YEARS = 30, 2
TABLES = (
    PlanningTable("all", "All", {"Primary": (4, 10)}, 2),
    PlanningTable("special", "Special schools", {"Primary": (4, 10)}, 2, "special"),
)
COUNTED_AT_THE_END = ("undecided", "backlog", "waiting_over_20_weeks")


def paths_of() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    flows = ("requests", "ceased", *COUNTED_AT_THE_END)
    made = {name: rng.gamma(9, 10, (PATHS, YEARS)) for name in flows}
    made["caseload"] = rng.gamma(9, 100, (PATHS, YEARS + 1))
    for name, categories in CATEGORIES.items():
        periods = YEARS + name.startswith(("caseload", "phase"))
        made[name] = rng.gamma(9, 10, (PATHS, periods, len(categories)))
    made |= {f"table:{table.name}": rng.gamma(9, 10, (PATHS, YEARS + 1, 1)) for table in TABLES}
    made["month:backlog"] = rng.gamma(9, 10, (PATHS, 12 * YEARS))
    pair = {"within_20_weeks": rng.gamma(9, 5, (PATHS, YEARS)), "timed": rng.gamma(9, 20, (PATHS, YEARS))}
    decided = {"decided_within_6": rng.gamma(9, 5, (PATHS, YEARS)), "decisions": rng.gamma(9, 20, (PATHS, YEARS))}
    months = {f"month:{name}": np.repeat(values / 12, 12, axis=1) for name, values in pair.items()}
    return made | pair | decided | months


def history_of(*, ages: bool) -> pd.DataFrame:
    rows = [("caseload", "", "", 2024, 900.0)]
    rows += [("caseload", "age_band", "Under 5", year, 100.0) for year in (2022, *([2024] if ages else []))]
    return pd.DataFrame(rows, columns=["measure", "by", "category", "year", "y"])


@pytest.fixture(scope="module")
def made() -> Projection:
    return Projection(
        area=find_area("Stockport"),
        members=("E08000007",),
        last_flow=2023,
        until=2023 + YEARS,
        assumptions=Assumptions(tables=TABLES),
        paths=paths_of(),
        history=history_of(ages=True),
        notes=(),
    )


@pytest.mark.parametrize(
    ("level", "says"),
    [
        (0, "level 0: an interval holds more than 0 and less than 100 per cent"),
        (-5, "level -5: an interval"),
        (100, "level 100: an interval"),
        (250, "level 250: an interval"),
        (float("nan"), "level nan: an interval"),
        (0.8, r"level 0.8: levels are per cent of futures, not shares. Give 80 rather than 0.8\."),
        (1, "level 1: levels are per cent"),
    ],
)
def test_a_level_is_a_per_cent_between_0_and_100(made, level, says):
    for ask in (made.requests, made.table):
        with pytest.raises(SpecError, match=says):
            ask(levels=(50, level))


def test_years_and_months_are_all_there_is(made):
    for freq in ("M", "YE", "ys", ""):
        with pytest.raises(SpecError, match=rf"freq '{freq}': projections are by YS \(calendar years\), MS \(months\)"):
            made.frame("requests", freq=freq)
    with pytest.raises(SpecError, match=r"no requests by age \(MS\)"):
        made.frame("requests", by="age", freq="MS")


def test_what_is_counted_at_the_end_of_a_year_has_its_first_day(made):
    for measure in COUNTED_AT_THE_END:
        frame = made.frame(measure)
        assert frame["ds"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2025-01-01")]
        assert frame["mean"].tolist() == pytest.approx(made.paths[measure].mean(axis=0).tolist())
    assert made.frame("backlog", freq="MS")["ds"].iloc[-1] == pd.Timestamp("2025-12-01")
    assert made.caseload()["ds"].tolist() == [pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01")]


def modelled(one: Projection) -> set[tuple[str, str]]:
    table = one.table()
    ahead = table[table["status"].ne("published")]
    assert ahead.groupby(["measure", "by"])["status"].nunique().eq(1).all()
    return set(ahead.loc[ahead["status"].eq("modelled"), ["measure", "by"]].itertuples(index=False, name=None))


BY_SHARES = {
    ("requests", "age"),
    ("requests", "age_band"),
    ("ceased", "cause"),
    ("caseload", "need"),
    ("caseload", "placement"),
    ("caseload", "table:special"),
}
BY_AGE = {("caseload", "age"), ("caseload", "age_band"), ("caseload", "table:all"), ("phase_transfers", "phase")}


def test_splits_by_held_shares_are_modelled(made):
    assert modelled(made) == BY_SHARES


def test_borrowed_ages_are_modelled_too(made):
    without = replace(made, history=history_of(ages=False))
    assert modelled(without) == BY_SHARES | BY_AGE
    assert modelled(replace(without, members=("E08000007", "E08000006"))) == BY_SHARES
