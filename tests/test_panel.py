"""Panel: a regular grid, keys that are constant, and refusals that name what is wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import InputError, Panel, SpecError
from tests.panels import growing, long, panel


def frame(**changes) -> pd.DataFrame:
    return long({"requests/A": [10.0, 12.0, 14.0]}).assign(**changes)


def keyed(n: int, **keys) -> pd.DataFrame:
    rows = long(growing(n, 3))
    number = rows["unique_id"].str[-2:].astype(int)
    return rows.assign(**{name: number.map(of) for name, of in keys.items()})


def test_a_period_without_a_row_is_missing_not_zero():
    made = Panel.from_frame(frame().drop(index=1), freq="YS")
    assert made.frame["ds"].dt.year.tolist() == [2010, 2011, 2012]
    np.testing.assert_array_equal(made.frame["y"], [10, np.nan, 14])


def test_series_share_one_grid_from_the_first_to_the_last_date_of_all():
    rows = pd.concat([long({"b": [1.0, 2.0]}), long({"a": [5.0, 6.0, 7.0, 8.0]}).iloc[2:]])
    made = Panel.from_frame(rows, freq="YS")
    assert made.ids == ("a", "b")
    np.testing.assert_array_equal(made.window().values, [[np.nan, np.nan, 7.0, 8.0], [1.0, 2.0, np.nan, np.nan]])


def test_the_callers_frame_is_left_alone():
    rows = frame(ds=["2010-01-01", "2011-01-01", "2012-01-01"], y=["1", "2", "3"])
    before = rows.copy(deep=True)
    made = Panel.from_frame(rows, freq="YS")
    pd.testing.assert_frame_equal(rows, before)
    assert made.frame["y"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"ds": ["2010-01-01", "2011-01-01", "2012-01-01"]},
        {"ds": pd.to_datetime(["2010", "2011", "2012"]).astype("datetime64[s]")},
        {"ds": list(pd.to_datetime(["2010", "2011", "2012"]).date)},
        {"y": pd.array([10, None, 14], dtype="Int64")},
        {"y": pd.array([10, None, 14], dtype="Float64")},
        {"unique_id": pd.Categorical(["requests/A"] * 3)},
        {"unique_id": pd.array(["requests/A"] * 3, dtype="string")},
        {"unique_id": np.array(["requests/A"] * 3, dtype=object)},
    ],
)
def test_other_dtypes_make_the_same_panel(changes):
    expected = Panel.from_frame(frame(y=[10.0, np.nan, 14.0]), freq="YS")
    rows = frame(**{"y": [10.0, np.nan, 14.0], **changes})
    made = Panel.from_frame(rows, freq="YS")
    assert made.ids == expected.ids
    assert list(made.dates) == list(expected.dates)
    np.testing.assert_array_equal(made.window().values, expected.window().values)


def test_numbers_may_be_ids():
    assert Panel.from_frame(frame(unique_id=356), freq="YS").ids == ("356",)


@pytest.mark.parametrize(
    ("freq", "dates", "period", "next_date"),
    [
        ("YS", ["2023-01-01", "2024-01-01"], 1, "2025-01-01"),
        ("QS", ["2023-10-01", "2024-01-01"], 4, "2024-04-01"),
        ("MS", ["2023-12-01", "2024-01-01"], 12, "2024-02-01"),
        ("W-MON", ["2024-01-01", "2024-01-08"], 52, "2024-01-15"),
    ],
)
def test_frequencies(freq, dates, period, next_date):
    made = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": dates, "y": [1, 2]}), freq=freq)
    assert made.period == made.window().period == period
    assert made.future(2)[0] == pd.Timestamp(next_date)
    assert len(made.future(2)) == 2


def test_a_single_date_is_a_panel():
    made = Panel.from_frame(frame().iloc[:1], freq="YS")
    assert made.window().values.tolist() == [[10.0]]
    assert made.future(1).tolist() == [pd.Timestamp("2011-01-01")]


REFUSED = {
    "no y": (frame().drop(columns="y"), "YS", r"column y missing \(found: unique_id, ds\)"),
    "empty": (frame().iloc[:0], "YS", "no rows"),
    "no id": (frame(unique_id=["a", None, "a"]), "YS", "1 rows without unique_id"),
    "year as number": (frame(ds=[2010, 2011, 2012]), "YS", "column ds holds numbers, first 2010"),
    "not a date": (frame(ds=["2010-01-01", "next year", "2012-01-01"]), "YS", "not an ISO date"),
    "uk date": (frame(ds=["01/02/2010", "01/02/2011", "01/02/2012"]), "YS", "not an ISO date"),
    "periods": (frame(ds=pd.period_range("2010", periods=3, freq="Y")), "YS", "not an ISO date"),
    "no date": (frame(ds=["2010-01-01", None, "2012-01-01"]), "YS", "series 'requests/A': 1 rows without a date"),
    "symbol": (frame(y=["10", "x", "14"]), "YS", "not a number"),
    "negative": (frame(y=[10, -3, 14]), "YS", "series 'requests/A': y = -3 at 2011-01-01"),
    "infinite": (frame(y=[10, np.inf, 14]), "YS", "y = inf at 2011-01-01"),
    "mid-year": (frame(ds=["2010-01-01", "2011-03-01", "2012-01-01"]), "YS", "not the first day of a year"),
    "mid-month": (frame(ds=["2010-01-01", "2010-02-15", "2010-03-01"]), "MS", "not the first day of a month"),
    "sunday": (frame(ds=["2024-01-07", "2024-01-15", "2024-01-22"]), "W-MON", "not the first day of a week"),
    "noon": (frame(ds=pd.to_datetime(["2010-01-01 12:00"] * 3)), "YS", "not the first day of a year"),
    "time zone": (frame(ds=pd.date_range("2010", periods=3, freq="YS", tz="UTC")), "YS", "has a time zone"),
    "repeat": (pd.concat([frame(), frame().iloc[[1]]]), "YS", "1 repeated periods, first 2011-01-01"),
    "key that changes": (frame(region=["N", "N", "S"]), "YS", "key column 'region' changes"),
    "key sometimes missing": (frame(region=["N", None, "N"]), "YS", "key column 'region' changes"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_faults_are_refused_in_one_line_that_names_them(fault):
    rows, freq, said = REFUSED[fault]
    with pytest.raises(InputError, match=said) as caught:
        Panel.from_frame(rows, freq=freq)
    assert "\n" not in str(caught.value)


def test_unknown_frequency_and_group_are_refused():
    with pytest.raises(SpecError, match="freq 'D': one of YS, QS, MS, W-MON"):
        Panel.from_frame(frame(), freq="D")
    with pytest.raises(SpecError, match=r"groups \['area'\]: not key columns of the panel \(it has: region\)"):
        Panel.from_frame(frame(region="N"), freq="YS", groups=["area"])
    with pytest.raises(SpecError, match="it has: none"):
        Panel.from_frame(frame(), freq="YS", groups=["area"])


def test_keys_stand_by_series():
    made = Panel.from_frame(keyed(3, measure=lambda i: "requests", region=lambda i: "NS"[i % 2]), freq="YS")
    assert made.keys.columns.tolist() == ["measure", "region"]
    assert made.keys["region"].tolist() == ["N", "S", "N"]


def sizes(made: Panel) -> list[int]:
    return sorted(np.unique(made.pools, return_counts=True)[1].tolist())


def test_pools_are_the_finest_keys_that_leave_eight_series_each():
    keys = {"measure": lambda i: "ab"[i % 2], "region": lambda i: "NSEW"[i % 4]}
    assert sizes(Panel.from_frame(keyed(40, **keys), freq="YS")) == [10] * 4
    assert sizes(Panel.from_frame(keyed(16, **keys), freq="YS")) == [8, 8]
    assert sizes(Panel.from_frame(keyed(12, **keys), freq="YS")) == [12]
    assert sizes(Panel.from_frame(keyed(12), freq="YS")) == [12]


def test_pools_by_groups_and_whole_panel():
    rows = keyed(16, measure=lambda i: "ab"[i % 2], region=lambda i: "NSEW"[i % 4])
    assert sizes(Panel.from_frame(rows, freq="YS", groups=[])) == [16]
    assert sizes(Panel.from_frame(rows, freq="YS", groups=["region"])) == [4] * 4
    both = Panel.from_frame(rows, freq="YS", groups=["measure", "region"])
    together = pd.Series(both.pools, index=both.ids).groupby([both.keys["measure"], both.keys["region"]]).nunique()
    assert (together == 1).all()


def test_series_without_a_key_value_pool_together():
    rows = keyed(4, region=lambda i: "N" if i < 2 else None)
    assert sizes(Panel.from_frame(rows, freq="YS", groups=["region"])) == [2, 2]


def test_until_keeps_series_whose_early_figures_are_all_missing():
    made = panel({"early": [1.0, 2.0, 3.0, 4.0], "late": [np.nan, np.nan, np.nan, 9.0]})
    then = made.until(2)
    assert then.ids == made.ids
    assert then.dates[-1] == pd.Timestamp("2011-01-01")
    assert then.future(1)[0] == pd.Timestamp("2012-01-01")
    np.testing.assert_array_equal(then.window().values, [[1.0, 2.0], [np.nan, np.nan]])


@pytest.mark.parametrize("length", [0, -1, 5])
def test_until_a_period_that_is_not_there_is_refused(length):
    with pytest.raises(SpecError, match=f"until {length}: the panel has 4 periods"):
        panel({"a": [1.0, 2.0, 3.0, 4.0]}).until(length)


def test_select_keeps_dates_and_keys():
    made = Panel.from_frame(keyed(4, region=lambda i: "NS"[i % 2]), freq="YS").select(["area03", "area01"])
    assert made.ids == ("area01", "area03")
    assert made.keys["region"].tolist() == ["S", "S"]
    assert made.window().values.shape == (2, 3)
    with pytest.raises(SpecError, match="series 'area09': not in the panel of 2 series"):
        made.select(["area09"])
    with pytest.raises(SpecError, match="at least one of the 2 series"):
        made.select([])


def test_window_rows_come_in_the_order_asked():
    whole = panel(growing(4, 3)).window()
    part = whole.rows([2, 0])
    assert part.ids == ("area02", "area00")
    np.testing.assert_array_equal(part.values, whole.values[[2, 0]])
    assert whole.until(2).dates[-1] == whole.dates[1]


counts = st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=1, max_size=6)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.dictionaries(st.text("abcXYZ/", min_size=1, max_size=4), counts, min_size=1, max_size=4), st.randoms())
def test_every_figure_put_in_comes_out_whatever_the_order_of_rows(series, random):
    rows = long({name: [np.nan if y is None else float(y) for y in ys] for name, ys in series.items()})
    order = list(range(len(rows)))
    random.shuffle(order)
    made = Panel.from_frame(rows.iloc[order], freq="YS")
    assert len(made.frame) == len(made.ids) * len(made.dates)
    back = made.frame.set_index(["unique_id", "ds"])["y"].dropna().to_dict()
    assert back == rows.set_index(["unique_id", "ds"])["y"].dropna().to_dict()
