"""Facts of the published series, checked on the bundled data against figures taken from the releases by hand."""

import numpy as np
import pandas as pd
import pytest

from forecast import reference
from forecast.sources.observations import panel_of, usable, visible


@pytest.fixture(scope="module")
def ehc():
    return reference.ehc().observations


def series(observations, measure, area):
    rows = observations[observations["measure"].eq(measure) & observations["area_name"].eq(area)]
    return dict(zip(rows["ds"].dt.year, rows["y"], strict=True))


def row(observations, measure, area, year):
    at = observations["measure"].eq(measure) & observations["area_name"].eq(area)
    return observations[at & observations["ds"].dt.year.eq(year)].iloc[0]


def test_requests_of_england(ehc):
    published = [55235, 64555, 72423, 82329, 75951, 93302, 114482, 138242]
    assert series(ehc, "requests", "England") == dict(zip(range(2016, 2024), published, strict=True))


def test_caseload_of_england(ehc):
    got = series(ehc, "caseload", "England")
    published = [237111, 240183, 256315, 287290, 319819, 353995, 390109, 430697, 473255, 517048, 576474]
    assert [got[year] for year in range(2014, 2025)] == published
    assert min(got) == 2010


def test_an_area_the_later_release_leaves_out_keeps_what_the_earlier_one_said(ehc):
    got = series(ehc, "new_plans", "Isles of Scilly")
    assert [got[year] for year in range(2018, 2022)] == [1, 0, 1, 2]
    assert row(ehc, "new_plans", "Isles of Scilly", 2019)["source"] == "dfe-ehc-2022"


def test_the_bundle_makes_a_panel_as_it_comes(ehc):
    panel = panel_of(ehc[ehc["geographic_level"].eq("local_authority")], freq="YS")
    stockport = panel.frame[panel.frame["unique_id"].eq("requests/E08000007")].set_index("ds")["y"]
    assert stockport.loc["2023-01-01"] == 790
    assert not panel.frame.duplicated(["unique_id", "ds"]).any()


def test_new_plans_of_england(ehc):
    got = series(ehc, "new_plans", "England")
    assert (min(got), got[2016], got[2022], got[2023]) == (2009, 36094, 66706, 84428)
    assert row(ehc, "assessments_issued", "England", 2022)["y"] == 68665


def test_stockport(ehc):
    assert list(series(ehc, "requests", "Stockport").values()) == [286, 247, 337, 362, 329, 512, 705, 790]
    caseload = series(ehc, "caseload", "Stockport")
    assert [caseload[y] for y in (2014, 2022, 2023, 2024)] == [1453, 2618, 2827, 3115]
    assert row(ehc, "decided_to_assess", "Stockport", 2023)["y"] == 622
    assert row(ehc, "assessments_completed", "Stockport", 2023)["y"] == 441
    timeliness = series(ehc, "timeliness_20_week", "Stockport")
    assert (timeliness[2021], timeliness[2023]) == (94.1, 9.8)
    assert (series(ehc, "new_plans", "Stockport")[2022], series(ehc, "assessments_issued", "Stockport")[2022]) == (
        426,
        531,
    )
    assert row(ehc, "timeliness_20_week", "England", 2023)["y"] == 49.1


def test_outcomes_of_the_requests_received_in_a_year_add_up(ehc):
    parts = ["decided_to_assess", "requests_refused", "requests_undecided", "requests_withdrawn"]
    wide = ehc[ehc["ds"].eq("2023-01-01")].pivot(index="area_code", columns="measure", values="y")
    wide = wide.dropna(subset="requests")
    assert len(wide) == 160
    assert (wide[parts].sum(axis=1, skipna=False) == wide["requests"]).all()
    assert wide.loc["E92000001", parts].tolist() == [92985, 33141, 10089, 2027]
    assert wide.loc["E08000007", parts].tolist() == [622, 106, 62, 0]


def test_outcomes_that_are_published_from_2023_on(ehc):
    published = {
        "decisions_within_6_weeks": (111723, 744),
        "decisions_over_6_weeks": (19863, 27),
        "refusals_to_mediation": (7612, 39),
        "refusals_to_tribunal": (3576, 2),
        "plans_20_week_to_year": (36404, 329),
        "plans_over_year": (4118, 45),
    }
    for measure, figures in published.items():
        got = tuple(row(ehc, measure, area, 2023)["y"] for area in ("England", "Stockport"))
        assert got == figures
        assert set(ehc.loc[ehc["measure"].eq(measure) & ehc["y"].notna(), "ds"].dt.year) == {2023}


def test_assessments_without_a_plan_withdrawn_and_in_progress(ehc):
    no_plan = series(ehc, "assessments_no_plan", "England")
    assert [no_plan[y] for y in range(2016, 2024)] == [1657, 3043, 2687, 3368, 3122, 3903, 4199, 4614]
    withdrawn = ehc[ehc["measure"].eq("assessments_withdrawn") & ehc["area_name"].eq("England")].set_index("ds")["y"]
    assert withdrawn.dropna().tolist() == [306, 362]
    in_progress = series(ehc, "assessments_undecided", "England")
    assert in_progress == dict(zip(range(2016, 2022), [10654, 12993, 13982, 18459, 18232, 22654], strict=True))
    assert series(ehc, "assessments_undecided", "Stockport")[2021] == 164


def test_new_plans_of_yorkshire_2022_are_unusable_but_the_region_is_not(ehc):
    wrong = ehc[ehc["reason"].str.startswith("sum_mismatch")]
    assert set(wrong["measure"]) == {"new_plans"}
    assert set(wrong["ds"]) == {pd.Timestamp("2022-01-01")}
    assert set(wrong["region_code"]) == {"E12000003"}
    assert set(wrong["y"]) == {6078}
    assert len(wrong) == 15
    assert np.isnan(usable(wrong)).all()
    region = row(ehc, "new_plans", "Yorkshire and The Humber", 2022)
    assert (region["y"], region["reason"]) == (6078, "")


def test_requests_of_west_berkshire_2022_are_an_implausible_zero(ehc):
    zeros = ehc[ehc["reason"].str.startswith("implausible_zero")]
    assert set(zip(zeros["measure"], zeros["area_name"], zeros["ds"].dt.year, strict=True)) == {
        ("requests", "West Berkshire", 2022),
        ("requests_refused", "West Berkshire", 2022),
    }
    got = series(ehc, "requests", "West Berkshire")
    assert (got[2021], got[2022], got[2023]) == (270, 0, 407)


def test_areas_not_available_in_2023_keep_their_reason(ehc):
    rows = ehc[ehc["measure"].eq("requests") & ehc["ds"].eq("2023-01-01")]
    local = rows[rows["geographic_level"].eq("local_authority")]
    missing = local[local["y"].isna()]
    assert set(missing["area_name"]) == {"Leicester", "Hackney", "Isle of Wight"}
    assert set(missing["reason"]) == {"x"}
    assert local["y"].sum() == 137307
    noted = rows[rows["note"].str.startswith("sum_note")]
    assert set(noted["area_name"]) == {"East Midlands", "London", "South East"}
    assert set(noted["reason"]) == {""}


def test_complete_series_by_name(ehc):
    """148 caseload and 143 request series: the latter leave out Isles of Scilly, whose 2019 is a true 0."""
    local = ehc[ehc["geographic_level"].eq("local_authority")]
    local = local.assign(usable=usable(local)).dropna(subset="usable")
    caseload = local[local["measure"].eq("caseload")].groupby("area_code").size()
    assert (caseload == 15).sum() == 148
    requests = local[local["measure"].eq("requests")].groupby("area_code")["usable"].agg(["size", "min"])
    assert (requests["size"] == 8).sum() == 144
    assert (requests["size"].eq(8) & requests["min"].gt(0)).sum() == 143


def test_retired_codes_are_joined_with_evidence():
    codes = reference.area_codes()
    joined = dict(zip(codes["retired_code"], codes["area_code"], strict=True))
    assert joined == {
        "E10000002": "E06000060",  # Buckinghamshire
        "E08000020": "E08000037",  # Gateshead
        "E06000048": "E06000057",  # Northumberland
        "E10000009": "E06000059",  # Dorset
    }
    assert codes.loc[codes["kind"].eq("boundary_change"), "retired_code"].tolist() == ["E10000009"]
    assert codes["evidence"].str.len().min() > 10


def test_dorset_says_that_its_boundary_changed(ehc):
    dorset = ehc[ehc["area_name"].eq("Dorset") & ehc["measure"].eq("caseload")]
    assert set(dorset["area_code"]) == {"E06000059"}
    marked = dorset["ds"][dorset["note"].str.contains("boundary_change")].dt.year
    assert marked.tolist() == list(range(2010, 2020))


@pytest.mark.parametrize(
    ("name", "code", "years"),
    [
        ("Cumbria", "E10000006", (2010, 2023)),
        ("Westmorland and Furness", "E06000064", (2024, 2024)),
        ("Northamptonshire", "E10000021", (2010, 2021)),
        ("North Northamptonshire", "E06000061", (2022, 2024)),
        ("Poole", "E06000029", (2010, 2019)),
        ("Bournemouth, Christchurch and Poole", "E06000058", (2020, 2024)),
    ],
)
def test_merged_and_split_areas_are_never_spliced(ehc, name, code, years):
    rows = ehc[ehc["area_name"].eq(name) & ehc["measure"].eq("caseload")]
    assert set(rows["area_code"]) == {code}
    assert (rows["ds"].dt.year.min(), rows["ds"].dt.year.max()) == years


def test_every_usable_sum_adds_up_or_says_why(ehc):
    """An independent sum over the bundled figures: regions against England, areas against regions."""
    counts = ehc[ehc["measure"].ne("timeliness_20_week")]
    counts = counts.assign(usable=usable(counts))
    local = counts[counts["geographic_level"].eq("local_authority")]
    refused = (
        local["reason"].str.contains("sum_mismatch").groupby([local["measure"], local["ds"], local["region_code"]])
    )
    sums = local.groupby(["measure", "ds", "region_code"])["y"].sum()
    regions = counts[counts["geographic_level"].eq("region")].set_index(["measure", "ds", "area_code"])
    difference = sums.rename_axis(["measure", "ds", "area_code"]).reindex(regions.index) - regions["y"]
    differing = difference[difference.abs() > 0].index
    said = regions.loc[differing, "note"].str.contains("sum_note|counts") | refused.any().reindex(differing).to_numpy()
    assert len(differing) > 10
    assert said.all()
    england = counts[counts["geographic_level"].eq("national")].set_index(["measure", "ds"])["y"].dropna()
    total = regions["y"].groupby(["measure", "ds"]).sum().reindex(england.index)
    assert (total == england).all()


def test_nothing_is_visible_before_it_was_public(ehc):
    early = visible(ehc, "2024-06-29")
    assert early.loc[early["measure"].eq("requests"), "ds"].max() == pd.Timestamp("2022-01-01")
    assert early.loc[early["measure"].eq("caseload"), "ds"].max() == pd.Timestamp("2023-01-01")
    late = visible(ehc, "2024-06-30")
    assert late.loc[late["measure"].eq("requests"), "ds"].max() == pd.Timestamp("2023-01-01")
    assert late.loc[late["measure"].eq("caseload"), "ds"].max() == pd.Timestamp("2024-01-01")


def test_the_break_between_collections(ehc):
    noted = ehc[ehc["note"].str.contains("series_break")]
    assert set(noted.loc[noted["measure"].eq("caseload"), "ds"].dt.year) == {2023}
    assert set(noted.loc[noted["measure"].ne("caseload"), "ds"].dt.year) == {2022}


def test_one_row_a_figure_and_sources_that_exist(ehc):
    assert not ehc.duplicated(["measure", "area_code", "ds", "available"]).any()
    revised = ehc[ehc.duplicated(["measure", "area_code", "ds"], keep=False)]
    assert set(revised["area_name"] + " " + revised["measure"]) == {"Isles of Scilly timeliness_20_week"}
    assert revised[["reason", "source"]].to_numpy().tolist() == [["z", "dfe-ehc-2022"], ["x", "dfe-ehc-2024"]]
    assert revised["available"].dt.year.tolist() == [2020, 2024]
    assert not visible(ehc, "2024-07-01").duplicated(["measure", "area_code", "ds"]).any()
    assert set(ehc["source"]) == {note.id for note in reference.ehc().sources} == {"dfe-ehc-2022", "dfe-ehc-2024"}
    assert set(ehc["provenance"]) == {"published"}
    assert set(ehc["reason"].str.split(":").str[0]) == {"", "x", "z", "sum_mismatch", "implausible_zero"}
    assert ehc["y"].min() == 0
