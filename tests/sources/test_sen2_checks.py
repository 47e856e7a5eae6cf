"""Marks: which rows become unusable when sums fail, and which differences are only noted."""

import pytest

from forecast.sources import sen2_release
from tests.sources.sen2_samples import release, summed


def marks(tmp_path, **figures):
    observations = sen2_release.read(release(tmp_path / "r", **figures)).observations
    years = observations["ds"].dt.year.astype(str)
    refused = observations[observations["reason"].str.contains(":")]
    noted = observations[observations["note"].ne("")]
    return (
        {(n, y): r for n, y, r in zip(refused["area_name"], years[refused.index], refused["reason"], strict=True)},
        {(n, y): t for n, y, t in zip(noted["area_name"], years[noted.index], noted["note"], strict=True)},
    )


def replaced(rows, **figures):
    return [(year, area, figures.get(area, value)) for year, area, value in rows]


def test_sums_that_add_up_are_left_alone(tmp_path):
    assert marks(tmp_path, newplans=summed("2020", 100, 200, 300)) == ({}, {})


def test_areas_that_repeat_the_regional_total_are_refused_and_the_region_is_not(tmp_path):
    rows = replaced(summed("2020", 100, 200, 300), Alder=300, Birch=300)
    refused, noted = marks(tmp_path, newplans=rows)
    assert set(refused) == {("Alder", "2020"), ("Birch", "2020")}
    assert refused["Alder", "2020"] == "sum_mismatch: 2 areas of North sum to 600, the region is 300"
    assert noted == {}


def test_a_region_is_refused_where_the_areas_do_sum_to_england(tmp_path):
    refused, _ = marks(tmp_path, newplans=replaced(summed("2020", 100, 200, 300), North=900))
    assert set(refused) == {("North", "2020")}


def test_england_is_refused_where_areas_and_regions_agree(tmp_path):
    refused, _ = marks(tmp_path, newplans=replaced(summed("2020", 100, 200, 300), England=6000))
    assert refused == {("England", "2020"): "sum_mismatch: regions sum to 600, England is 6,000"}


def test_both_are_refused_where_nothing_agrees(tmp_path):
    refused, _ = marks(tmp_path, newplans=replaced(summed("2020", 100, 200, 300), North=900, England=2000))
    assert {name for name, _ in refused} == {"England", "Alder", "Birch"}


def test_regions_alone_are_still_checked_without_england(tmp_path):
    rows = [row for row in replaced(summed("2020", 100, 200, 300), North=900) if row[1] != "England"]
    refused, _ = marks(tmp_path, newplans=rows)
    assert {name for name, _ in refused} == {"Alder", "Birch"}


def test_an_area_not_available_may_hold_more_than_any_other_where_counts_are_small(tmp_path):
    rows = replaced(summed("2020", 3, 2, 0), Alder="x", North=41, England=41)
    refused, noted = marks(tmp_path, newplans=rows)
    assert refused == {}
    assert "areas sum to 2 without Alder" in noted["North", "2020"]
    refused, _ = marks(tmp_path / "more", newplans=replaced(rows, North=80, England=80))
    assert set(refused) == {("Birch", "2020")}


def test_an_area_not_available_explains_a_difference(tmp_path):
    refused, noted = marks(tmp_path, newplans=replaced(summed("2020", 100, 200, 300), Alder="x"))
    assert refused == {}
    assert noted == {("North", "2020"): "sum_note: areas sum to 200 without Alder (not available)"}


def test_an_area_not_available_may_be_left_out_of_the_region(tmp_path):
    rows = replaced(summed("2020", 0, 200, 300), Alder="x")
    assert marks(tmp_path, newplans=rows)[1] == {("North", "2020"): "sum_note: does not count Alder (not available)"}


def test_a_region_whose_areas_are_all_unavailable_stands(tmp_path):
    rows = replaced(summed("2020", 100, 200, 300), Alder="x", Birch="x", Cedar="x")
    assert marks(tmp_path, newplans=rows) == ({}, {})


def test_an_area_not_available_does_not_explain_any_difference(tmp_path):
    refused, _ = marks(tmp_path, newplans=replaced(summed("2020", 100, 200, 300), Alder="x", North=900, England=1200))
    assert {name for name, _ in refused} == {"Birch"}


@pytest.mark.parametrize("off", [-5, 5])
def test_a_small_difference_is_a_note(tmp_path, off):
    refused, noted = marks(tmp_path, newplans=replaced(summed("2020", 100, 200, 300), North=300 + off))
    assert refused == {}
    assert noted == {
        ("North", "2020"): "sum_note: areas sum to 300",
        ("England", "2020"): f"sum_note: regions sum to {600 + off}",
    }


def test_percentages_are_not_summed(tmp_path):
    rows = [("2020", area, 100, 50, pc) for area, pc in [("Alder", 50), ("Birch", 60), ("North", 55), ("England", 55)]]
    refused, _ = marks(tmp_path, timeliness_20_week=rows)
    assert "timeliness" not in str(refused)
    observations = sen2_release.read(tmp_path / "r").observations
    assert set(observations.query("measure == 'timeliness_20_week'")["reason"]) == {""}


def test_a_zero_after_many_is_refused_and_its_totals_are_noted(tmp_path):
    refused, noted = marks(tmp_path, newplans=summed("2020", 270, 200, 300) + summed("2021", 0, 200, 300))
    assert refused == {("Alder", "2021"): "implausible_zero: 0 published after 270 the year before"}
    assert noted == {(name, "2021"): "counts an implausible 0 of Alder" for name in ("North", "England")}


def test_a_zero_is_judged_without_what_came_later(tmp_path):
    before = summed("2020", 270, 200, 300) + summed("2021", 0, 200, 300)
    alone = marks(tmp_path / "a", newplans=before)
    assert marks(tmp_path / "b", newplans=before + summed("2022", 0, 200, 300))[0].items() == alone[0].items()


def test_a_zero_after_few_or_after_a_gap_stands(tmp_path):
    few = summed("2020", 49, 200, 300) + summed("2021", 0, 200, 300)
    gap = summed("2018", 270, 200, 300) + summed("2020", 0, 200, 300)
    assert marks(tmp_path / "few", newplans=few)[0] == {}
    assert marks(tmp_path / "gap", newplans=gap)[0] == {}


def test_refusing_nothing_is_practice_unless_nothing_was_requested(tmp_path):
    def read(requests):
        rows = [("2020", "Alder", 300, 90, "x"), ("2021", "Alder", requests, 0, "x")]
        return marks(tmp_path / str(requests), requests=rows)

    refused, noted = read(310)
    assert refused == {}
    assert noted["Alder", "2021"] == "0 published after 90 the year before"
    refused, noted = read(0)
    assert refused["Alder", "2021"] == "implausible_zero: 0 published after 90 the year before"
    assert noted == {}
