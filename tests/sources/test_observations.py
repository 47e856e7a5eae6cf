"""Observations: what may be used, when it was known, and the way to a panel."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from forecast import InputError
from forecast.sources.observations import OBSERVATION_COLUMNS, checked, digest_files, latest, panel_of, usable, visible


def observations(rows: list[dict]) -> pd.DataFrame:
    plain = {
        "measure": "requests",
        "geographic_level": "local_authority",
        "area_code": "E1",
        "area_name": "Ash",
        "region_code": "R1",
        "ds": "2022-01-01",
        "y": 10.0,
        "reason": "",
        "note": "",
        "available": "2023-06-30",
        "provenance": "published",
        "source": "dfe",
    }
    frame = pd.DataFrame([{**plain, **row} for row in rows])
    return frame.assign(ds=pd.to_datetime(frame["ds"]), available=pd.to_datetime(frame["available"]))


def test_checked_orders_rows_and_columns():
    frame = observations([{"area_code": "E2"}, {"ds": "2021-01-01"}, {}]).assign(extra=1)
    made = checked(frame[[*OBSERVATION_COLUMNS[::-1], "extra"]], where="release")
    assert tuple(made.columns) == OBSERVATION_COLUMNS
    assert made["area_code"].tolist() == ["E1", "E1", "E2"]
    assert made["ds"].dt.year.tolist() == [2021, 2022, 2022]
    assert made.index.tolist() == [0, 1, 2]


def test_checked_refuses_a_figure_given_twice_even_if_equal():
    with pytest.raises(InputError, match=r"release\.zip: 2 rows repeat a figure, first requests/E1 at 2022-01-01"):
        checked(observations([{}, {}, {"area_code": "E2"}]), where="release.zip")


def test_visible_on_the_day_it_came_out_and_not_the_day_before():
    frame = observations([{"available": "2023-06-30"}, {"area_code": "E2", "available": "2024-06-30"}])
    assert visible(frame, "2023-06-29").empty
    assert visible(frame, "2023-06-30")["area_code"].tolist() == ["E1"]
    assert visible(frame, pd.Timestamp("2024-07-01")).index.tolist() == [0, 1]


def test_a_figure_may_have_vintages_and_the_latest_known_is_visible():
    frame = checked(
        observations([{"y": 12.0, "available": "2024-06-30"}, {}, {"area_code": "E2", "available": "2024-06-30"}]),
        where="dfe",
    )
    assert frame["y"].tolist() == [10, 12, 10]
    assert visible(frame, "2024-06-29")["y"].tolist() == [10]
    assert visible(frame, "2024-06-30")["y"].tolist() == [12, 10]
    assert latest(frame)["area_code"].tolist() == ["E1", "E2"]
    np.testing.assert_array_equal(panel_of(frame, freq="YS").window().values, [[12], [10]])


def test_checked_gives_dates_in_nanoseconds_whatever_pandas_made_of_them():
    frame = observations([{}]).astype({"ds": "datetime64[us]", "available": "datetime64[s]"})
    assert checked(frame, where="dfe")[["ds", "available"]].dtypes.astype(str).tolist() == ["datetime64[ns]"] * 2


def test_a_reason_forbids_use_except_low_and_k_which_are_zero():
    frame = observations(
        [
            {"y": 7.0, "reason": ""},
            {"y": 6078.0, "reason": "sum_mismatch: region"},
            {"y": np.nan, "reason": "c"},
            {"y": np.nan, "reason": "low"},
            {"y": np.nan, "reason": "k"},
            {"y": np.nan, "reason": ""},
        ]
    )
    np.testing.assert_array_equal(usable(frame), [7, np.nan, np.nan, 0, 0, np.nan])


def test_panel_of_names_series_by_measure_and_area():
    frame = observations(
        [
            {"ds": "2021-01-01", "y": 5.0},
            {"y": 6.0, "reason": "x"},
            {"ds": "2023-01-01", "y": 8.0},
            {"area_code": "E2", "y": 99.0, "reason": "x"},
            {"area_code": "E3", "measure": "new_plans", "y": np.nan, "reason": "low"},
        ]
    )
    panel = panel_of(frame, freq="YS")
    assert panel.ids == ("new_plans/E3", "requests/E1")
    np.testing.assert_array_equal(panel.window().values, [[np.nan, 0, np.nan], [5, np.nan, 8]])
    assert panel.keys.loc["requests/E1"].tolist() == ["requests", "E1", "R1"]
    assert panel.pools[0] != panel.pools[1]


def test_panel_of_refuses_areas_with_their_aggregate():
    frame = observations([{}, {"area_code": "R1", "geographic_level": "region"}])
    with pytest.raises(InputError, match=r"levels \['local_authority', 'region'\] in one panel"):
        panel_of(frame, freq="YS")


def test_panel_of_nothing_usable_is_refused():
    with pytest.raises(InputError, match="no rows"):
        panel_of(observations([{"reason": "x"}]), freq="YS")


def test_digest_depends_on_names_and_contents_not_on_order(tmp_path):
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    a.write_bytes(b"1")
    b.write_bytes(b"2")
    first = digest_files([a, b])
    assert first == digest_files([b, a])
    inner = [hashlib.sha256(text).digest() for text in (b"1", b"2")]
    assert first == hashlib.sha256(b"a.csv" + inner[0] + b"b.csv" + inner[1]).hexdigest()
    b.write_bytes(b"3")
    assert digest_files([a, b]) != first
    b.write_bytes(b"2")
    assert digest_files([a, b.rename(tmp_path / "c.csv")]) != first
