"""Reading one csv by age, need, placement or cause: labels that drift, symbols, and each way it can be refused."""

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.sources.sen2_cuts import CUT_COLUMNS, DIMENSIONS, cut_files, cuts, percentages, read_cut
from forecast.sources.sen2_schema import common, fold, layouts, period_of_measure
from tests.sources.sen2_samples import BASE, OLD_BASE, PLACEMENTS, cut_table, line

REQUESTS = (
    "requests_received_in_year",
    "requests_decided_not_to_assess",
    "requests_decided_to_assess",
    "requests_decision_not_made",
    "requests_withdrawn",
)
AGE = "Child or young persons age"
ALL = "All requests for EHC needs assessments"
NEEDS = [f"{code}_pc" for code in "asd slcn semh mld sld pmld spld pd hi vi msi oth unknown".split()]


def cut(name, layout=2025):
    return next(c for c in cuts(layout) if c.name == name)


def requests(*rows, columns=REQUESTS):
    return cut_table(ALL, columns, rows).encode()


def read(*rows, columns=REQUESTS):
    return read_cut(requests(*rows, columns=columns), cut("requests_by_age"), label="requests.csv")


def values(frame, measure, dimension="age"):
    rows = frame[frame["measure"].eq(measure)]
    return dict(zip(rows[dimension], rows["y"], strict=True))


def test_ages_and_the_total_they_belong_to():
    frame, warnings = read(("2023", "Alder", "", "", 10, 3, 6, 1, 0), ("2023", "Alder", AGE, "Aged 4", 7, 2, 5, 0, 0))
    assert list(frame.columns) == list(CUT_COLUMNS)
    assert values(frame, "requests") == {"": 10, "4": 7}
    assert values(frame, "requests_refused") == {"": 3, "4": 2}
    assert values(frame, "decided_to_assess") == {"": 6, "4": 5}
    assert values(frame, "requests_undecided") == {"": 1, "4": 0}
    assert set(frame["area_code"]) == {"E06000091"}
    assert set(frame["year"]) == {2023}
    assert warnings == []


@pytest.mark.parametrize(
    ("label", "age"),
    [
        ("Aged 4", "4"),
        ("age 4", "4"),
        ("AGE  4", "4"),
        ("Aged 2 and under", "0-2"),
        ("age 2 and under", "0-2"),
        ("under 3", "0-2"),
        ("Aged 20 and over", "20+"),
        ("age 20 and over", "20+"),
        ("Age unknown", "unknown"),
        ("Unknown", "unknown"),
    ],
)
def test_the_labels_of_ages_drift_between_tables(label, age):
    frame, _ = read(("2023", "Alder", AGE, label, 7, 2, 5, 0, 0))
    assert set(frame["age"]) == {age}


@pytest.mark.parametrize("label", ["Aged 4 or so", "age 26", "4", ""])
def test_a_label_that_is_not_known_is_refused(label):
    text = requests(("2023", "Alder", AGE, "Aged 3", 7, 2, 5, 0, 0)).decode().replace("Aged 3", label)
    with pytest.raises(InputError, match=r"requests\.csv line 2, column 'breakdown': .* not a known label of age"):
        read_cut(text.encode(), cut("requests_by_age"), label="requests.csv")


def test_other_topics_are_passed_over_and_a_topic_that_is_lacking_is_told():
    frame, warnings = read(("2023", "Alder", "", "", 10, 3, 6, 1, 0), ("2023", "Alder", "Sex", "Male", 6, 1, 4, 1, 0))
    assert values(frame, "requests") == {"": 10}
    assert warnings == ["requests.csv: no rows by age; 'requests_by_age' has none"]


@pytest.mark.parametrize(("cell", "reason"), [("x", "x"), ("c", "c"), ("no data", "x"), ("z", "z"), ("", "blank")])
def test_a_symbol_is_a_reason_and_not_a_zero(cell, reason):
    frame, _ = read(("2023", "Alder", AGE, "Aged 4", cell, 2, 5, 0, 0))
    row = frame[frame["measure"].eq("requests")].iloc[0]
    assert np.isnan(row["y"])
    assert row["reason"] == reason


@pytest.mark.parametrize("cell", ["-3", "2.5", "many"])
def test_a_cell_that_is_no_count_is_refused(cell):
    with pytest.raises(InputError, match=r"requests\.csv line 2, column 'requests_received_in_year'"):
        read(("2023", "Alder", AGE, "Aged 4", cell, 2, 5, 0, 0))


def test_a_repeated_row_is_refused():
    row = ("2023", "Alder", AGE, "Aged 4", 7, 2, 5, 0, 0)
    with pytest.raises(InputError, match=r"line 3: 'Aged 4' of 'Alder' .*stands already in line 2"):
        read(row, row)


def test_two_labels_of_one_age_are_a_repeat_too():
    with pytest.raises(InputError, match="stands already in line 2"):
        read(("2023", "Alder", AGE, "Aged 4", 7, 2, 5, 0, 0), ("2023", "Alder", AGE, "age 4", 7, 2, 5, 0, 0))


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match=r"column 'requests_withdrawn' is missing.*'requests_by_age' needs it"):
        read(("2023", "Alder", AGE, "Aged 4", 7, 2, 5, 0), columns=REQUESTS[:-1])


def test_a_period_or_time_identifier_that_is_not_known_is_refused():
    text = requests(("2023", "Alder", AGE, "Aged 4", 7, 2, 5, 0, 0))
    with pytest.raises(InputError, match="time_identifier"):
        read_cut(text.replace(b"Calendar year", b"Week"), cut("requests_by_age"), label="r.csv")
    with pytest.raises(InputError, match="time_period"):
        read_cut(text.replace(b"2023", b"spring"), cut("requests_by_age"), label="r.csv")


def test_columns_are_placements_from_2024_on():
    rows = [(p, "Alder", AGE, "under 3", 9, 4, 3, 0, 0, 1, 1, "x") for p in ("202223", "202324")]
    text = cut_table("All EHC plans", ("ehcplans", *PLACEMENTS), rows, identifier="Academic year")
    frame, _ = read_cut(text.encode(), cut("caseload_by_placement"), label="caseload.csv")
    assert set(frame["year"]) == {2024}
    assert set(frame["age"]) == {"0-2"}
    got = values(frame, "caseload", "placement")
    assert {k: v for k, v in got.items() if k != "unknown"} == {
        "": 9,
        "mainstream": 4,
        "special": 3,
        "alternative_provision": 0,
        "further_education": 0,
        "elsewhere": 1,
        "early_years": 1,
    }
    assert np.isnan(got["unknown"])


def test_needs_are_percentages_by_age_and_by_placement_group():
    shares = [30, 20, 20, 10, 5, 2, 2, 4, 1, 1, 1, 3.5, 0.5]
    rows = [
        ("202425", "North", "Type of placement", "Mainstream - total", *shares),
        ("202425", "North", "Type of placement", "Mainstream - academy", *shares),
        ("202425", "North", "Type of placement", "Placement not recorded", *shares),
        ("202425", "North", AGE, "age 4", *shares),
    ]
    text = cut_table("All EHC plans", NEEDS, rows, identifier="Academic year")
    frame, _ = read_cut(text.encode(), cut("need_of_caseload"), label="needs.csv")
    assert set(zip(frame["age"], frame["placement"], strict=True)) == {("", "mainstream"), ("", "unknown"), ("4", "")}
    assert set(frame["year"]) == {2025}
    assert values(frame[frame["age"].eq("4")], "need_share", "need")["oth"] == 3.5
    with pytest.raises(InputError, match="a percentage from 0 to 100"):
        read_cut(text.replace("3.5", "103.5").encode(), cut("need_of_caseload"), label="needs.csv")
    with pytest.raises(InputError, match="not a known label of placement"):
        read_cut(text.replace("Mainstream - academy", "Moon").encode(), cut("need_of_caseload"), label="needs.csv")


def test_bands_of_the_aggregate_returns_have_no_topic():
    head = OLD_BASE + ",characteristic_age,Total_all"
    rows = [("Total", 30), ("Under 5", 10), ("Age 20 to 25", 20)]
    body = [line("2022", "Alder", y, old=True, labels=(label,)) for label, y in rows]
    text = "\n".join([head, *body])
    frame, _ = read_cut(text.encode(), cut("caseload_bands", 2022), label="bands.csv")
    assert values(frame, "caseload") == {"": 30, "0-4": 10, "20-25": 20}
    with pytest.raises(InputError, match="not a known label of age"):
        read_cut(text.replace("Under 5", "Grand total").encode(), cut("caseload_bands", 2022), label="bands.csv")


def test_every_cut_reads_known_measures_into_known_categories():
    names = {c.name for layout in layouts() for c in cuts(layout.year)}
    assert {"requests_by_age", "ceased_by_cause", "caseload_bands", "need_of_caseload"} <= names
    assert cuts(2023) == ()
    for layout in layouts():
        for each in cuts(layout.year):
            assert set(each.topics.values()) <= set(DIMENSIONS)
            measures = {measure for measure, *_ in each.columns()}
            assert measures <= set(period_of_measure()) | percentages()
            for measure in measures - percentages():
                assert period_of_measure()[measure] == each.period
    assert "sen_needs_all_plans" in cut_files()
    assert not {fold(name) for name in BASE.split(",")} - set(common().base_columns)
