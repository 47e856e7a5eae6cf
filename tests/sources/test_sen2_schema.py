"""The schema map itself: every layout covers what it should, and no column is both read and passed over."""

import pytest

from forecast.sources.sen2_schema import common, fold, layouts, period_of_measure, table_files

MEASURES = {
    "requests",
    "requests_refused",
    "decided_to_assess",
    "assessments_completed",
    "assessments_issued",
    "new_plans",
    "caseload",
    "ceased",
    "plans_20_week_den",
    "plans_20_week_within",
    "timeliness_20_week",
}
OPTIONAL = {
    2022: {"assessments_no_plan", "assessments_undecided"},
    2023: {
        "requests_undecided",
        "requests_withdrawn",
        "refusals_to_mediation",
        "refusals_to_tribunal",
        "assessments_no_plan",
        "assessments_withdrawn",
        "assessments_undecided",
    },
    2025: {
        "requests_undecided",
        "requests_withdrawn",
        "decisions_within_6_weeks",
        "decisions_over_6_weeks",
        "refusals_to_mediation",
        "refusals_to_tribunal",
        "assessments_no_plan",
        "assessments_withdrawn",
        "plans_20_week_to_year",
        "plans_over_year",
    },
}
EVERY = MEASURES.union(*OPTIONAL.values())


def test_measures_and_periods():
    assert set(period_of_measure()) == EVERY
    assert {m for m, period in period_of_measure().items() if period == "stock"} == {"caseload"}
    assert {layout.year: {m for t in layout.tables for m in t.measures} for layout in layouts()} == {
        2022: MEASURES - {"decided_to_assess", "ceased"},
        2023: MEASURES - {"ceased"},
        2025: MEASURES,
    }
    assert {layout.year: {m for t in layout.tables for m in t.optional} for layout in layouts()} == OPTIONAL


@pytest.mark.parametrize("layout", layouts(), ids=lambda layout: str(layout.year))
def test_a_column_is_read_or_known_never_both(layout):
    for table in layout.tables:
        read = table.measures | table.optional
        columns = [fold(c) for names in read.values() for c in names] + [f.column for f in table.filters]
        assert len(set(columns)) == len(columns)
        assert not set(columns) & table.known
        assert not set(columns) & set(common().base_columns)


def test_names_in_the_map_are_measures():
    shared = common()
    assert (set(shared.percent) | shared.may_fall_to_zero | set(shared.part_of) | set(shared.part_of.values())) <= EVERY
    assert {"requests", "caseload", "sen2_mi"} <= table_files()
