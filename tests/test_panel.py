"""Panel: a regular grid, keys that are constant, and refusals that name what is wrong."""

import copy
from dataclasses import replace

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
    "repeats of one id written in two ways": (
        pd.concat([frame(unique_id=1), frame(unique_id="1").iloc[:1]]),
        "YS",
        "series '1': 1 repeated periods, first 2010-01-01",
    ),
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


def grouped(*keys: tuple[str, str]) -> Panel:
    """A series for each pair of keys."""
    return Panel.from_frame(keyed(len(keys), region=lambda i: keys[i][0], measure=lambda i: keys[i][1]), freq="YS")


def test_each_series_goes_to_its_finest_pool_of_eight_and_what_is_left_shares_one():
    keys = [("N", "a")] * 8 + [("N", "b")] * 5 + [("N", "c")] * 3 + [("S", "b")] * 6 + [("E", "b")] * 2
    keys += [("S", "a")] * 7 + [("W", "c")]
    assert grouped(*keys).pools.tolist() == [
        *["region/measure=N/a"] * 8,
        *["region=N"] * 8,
        *["region=S"] * 6,
        *[""] * 2,
        *["region=S"] * 7,
        "",
    ]
    keys = [("N", "a")] * 7 + [("S", "b")] * 7 + [("E", "a")] * 3
    assert grouped(*keys).pools.tolist() == [*["measure=a"] * 7, *[""] * 7, *["measure=a"] * 3]


def test_names_of_pools_by_different_columns_are_not_mixed_up():
    made = grouped(*[("x", f"m{i}") for i in range(8)], *[(f"r{i}", "x") for i in range(8)])
    assert made.pools.tolist() == ["region=x"] * 8 + ["measure=x"] * 8


two_keys = st.lists(st.tuples(st.sampled_from("NS"), st.sampled_from("ab")), min_size=1, max_size=40)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(two_keys, st.sampled_from("NSE"), st.sampled_from("abc"), st.integers(1, 9))
def test_series_of_another_group_change_no_group_of_eight(keys, region, measure, more):
    before = grouped(*keys).pools
    after = grouped(*keys, *[(region, measure)] * more).pools
    for i, pool in enumerate(before):
        by = pool.partition("=")[0]
        if (by == "region/measure" and keys[i] != (region, measure)) or (by == "region" and keys[i][0] != region):
            assert after[i] == pool
            assert (after == pool).sum() == (before == pool).sum()
    named = [name for name in after if name]
    assert not named or np.unique(named, return_counts=True)[1].min() >= 8


def test_a_series_in_a_third_group_leaves_two_groups_of_eight_alone():
    made = Panel.from_frame(keyed(17, region=lambda i: "NSE"[i // 8]), freq="YS")
    assert made.pools.tolist() == ["region=N"] * 8 + ["region=S"] * 8 + [""]


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


def test_a_window_between_two_dates():
    whole = Panel.from_frame(long(growing(2, 5)), freq="YS", known=ahead(covid=range(7))).window()
    part = whole.between(1, 4)
    np.testing.assert_array_equal(part.values, whole.values[:, 1:4])
    assert part.dates.equals(whole.dates[1:4])
    np.testing.assert_array_equal(part.known["covid"], [[1, 2, 3, 4, 5, 6]] * 2)
    assert (part.ids, part.period) == (whole.ids, whole.period)


def test_values_are_shared_with_no_one_who_could_change_them():
    made = panel(growing(2, 4))
    with pytest.raises(ValueError, match="read-only"):
        made.window().values[0, 0] = 1.0
    assert np.shares_memory(made.until(3).window().values, made.values)


def test_the_frame_has_a_row_a_series_and_period():
    made = panel({"b": [1.0, 2.0], "a": [3.0, np.nan]})
    assert made.frame.columns.tolist() == ["unique_id", "ds", "y"]
    assert made.frame["unique_id"].tolist() == ["a", "a", "b", "b"]
    assert made.frame["ds"].dt.year.tolist() == [2010, 2011] * 2
    np.testing.assert_array_equal(made.frame["y"], [3.0, np.nan, 1.0, 2.0])


def test_pool_names_say_the_keys_in_order():
    rows = keyed(4, region=lambda i: "NS"[i % 2], year=lambda i: 2020 + i // 2)
    made = Panel.from_frame(rows, freq="YS", groups=["region", "year"])
    assert made.pools.tolist() == ["N/2020", "S/2020", "N/2021", "S/2021"]


def test_the_frame_is_a_copy():
    made = panel(growing(2, 4))
    taken = made.frame
    taken["y"] = 0.0
    assert made.frame["y"].min() > 0


def ahead(*, first: str = "2010-01-01", freq: str = "YS", **columns) -> pd.DataFrame:
    """Columns for all series from `first` on."""
    length = len(next(iter(columns.values())))
    return pd.DataFrame({"ds": pd.date_range(first, periods=length, freq=freq), **columns})


def by_series(**changes) -> pd.DataFrame:
    """A population of two areas for five years, two of them after the three of `two_areas`."""
    rows = long({"a": [10.0, 11, 12, 13, 14], "b": [20.0, 21, 22, 23, 24]}).rename(columns={"y": "population"})
    return rows.assign(**changes)


def two_areas(known: pd.DataFrame | None = None) -> Panel:
    return Panel.from_frame(long({"a": [1.0, 2, 3], "b": [4.0, 5, 6]}), freq="YS", known=known)


def test_known_columns_go_beyond_the_last_figure():
    made = two_areas(by_series().sample(frac=1, random_state=1))
    assert list(made.known) == list(made.window().known) == ["population"]
    np.testing.assert_array_equal(made.known["population"], [[10, 11, 12, 13, 14], [20, 21, 22, 23, 24]])
    assert two_areas().known == two_areas().window().known == {}


def test_a_known_frame_without_ids_is_the_same_for_all_series():
    made = two_areas(ahead(covid=[False, True, False, False], day=[5, 4, 4, 5]))
    np.testing.assert_array_equal(made.known["covid"], [[0, 1, 0, 0]] * 2)
    np.testing.assert_array_equal(made.known["day"], [[5, 4, 4, 5]] * 2)


def test_known_rows_of_other_series_and_earlier_years_are_left_out():
    early = by_series(ds=lambda rows: rows["ds"] - pd.DateOffset(years=1))
    made = two_areas(pd.concat([early, early.iloc[:5].assign(unique_id="other", population=np.nan)]))
    np.testing.assert_array_equal(made.known["population"], [[11, 12, 13, 14], [21, 22, 23, 24]])


def test_known_columns_are_read_only_in_a_copy_as_well():
    columns = {"population": np.ones((2, 3))}
    made = replace(two_areas(by_series()), known=columns)
    columns["late"] = np.ones((2, 3))
    made.window().known["later"] = np.ones((2, 3))
    for each in (made, copy.deepcopy(made), made.select(["a"])):
        assert list(each.known) == ["population"]
        with pytest.raises(TypeError, match="does not support item assignment"):
            each.known["x"] = np.ones((2, 3))
    back = copy.deepcopy(made)
    assert (back.ids, back.freq) == (made.ids, made.freq)
    np.testing.assert_array_equal(back.values, made.values)


def test_known_columns_follow_until_select_and_rows():
    made = two_areas(by_series())
    np.testing.assert_array_equal(made.until(1).known["population"], made.known["population"])
    np.testing.assert_array_equal(made.select(["b"]).known["population"], [[20, 21, 22, 23, 24]])
    np.testing.assert_array_equal(made.window().rows([1, 0]).known["population"][:, 0], [20, 10])
    np.testing.assert_array_equal(made.window().until(2).known["population"], made.known["population"])


def test_more_known_columns_may_join_and_reach_further():
    made = two_areas(by_series()).with_known(ahead(covid=[0, 1, 0, 0, 0, 0]))
    assert list(made.known) == ["population", "covid"]
    assert [made.known[name].shape for name in made.known] == [(2, 5), (2, 6)]
    assert list(two_areas(by_series()).known) == ["population"]
    with pytest.raises(InputError, match="known: column 'covid' is in the panel already"):
        made.with_known(ahead(covid=[0] * 6))


def test_regressors_are_cut_at_the_origin():
    window = two_areas(by_series()).with_known(ahead(covid=[0, 1, 0, 7, 0, 0])).window()
    names, past, future = window.regressors(2)
    assert names == ("population", "covid")
    np.testing.assert_array_equal(past, [[[10, 0], [11, 1], [12, 0]], [[20, 0], [21, 1], [22, 0]]])
    np.testing.assert_array_equal(future, [[[13, 7], [14, 0]], [[23, 7], [24, 0]]])
    _, past, future = window.until(2).rows([1]).regressors(1)
    np.testing.assert_array_equal(past[0, :, 0], [20, 21])
    np.testing.assert_array_equal(future[0, :, 0], [22])
    _, past, future = window.between(1, 2).regressors(3)
    np.testing.assert_array_equal(past[1, :, 0], [21])
    np.testing.assert_array_equal(future[1, :, 0], [22, 23, 24])


def test_regressors_of_a_window_without_known_columns_are_empty():
    names, past, future = two_areas().window().regressors(4)
    assert (names, past.shape, future.shape) == ((), (2, 3, 0), (2, 4, 0))


def test_a_known_column_that_ends_too_early_is_refused():
    window = two_areas(ahead(covid=[0] * 9)).with_known(by_series()).window()
    said = "known column 'population': it ends 2014-01-01; 3 periods after 2012-01-01 need it to 2015-01-01"
    with pytest.raises(SpecError, match=said):
        window.regressors(3)
    window.until(2).regressors(3)


KNOWN_REFUSED = {
    "no ds": (by_series().drop(columns="ds"), r"known: column ds missing \(found: unique_id, population\)"),
    "no column": (by_series()[["unique_id", "ds"]], "known: no column besides unique_id, ds"),
    "empty": (by_series().iloc[:0], "known: no rows"),
    "no id": (by_series(unique_id=["a"] * 5 + [None] * 5), "known: 5 rows without unique_id"),
    "text": (by_series(population="many"), "known: column 'population' holds a value that is not a number"),
    "not a date": (by_series(ds="soon"), "known: column ds holds a value that is not an ISO date"),
    "no date": (by_series(ds=[pd.NaT, *by_series()["ds"][1:]]), "known of series 'a': 1 rows without a date"),
    "off grid": (by_series(ds=by_series()["ds"] + pd.DateOffset(months=1)), "known of series 'a': date 2010-02-01"),
    "off grid for all": (ahead(first="2010-02-01", freq="MS", x=[0]), "known: date 2010-02-01 00:00:00 is not"),
    "repeat": (pd.concat([by_series(), by_series().iloc[[6]]]), "known of series 'b': 1 repeated periods, first 2011"),
    "repeat for all": (pd.concat([ahead(x=[1, 2, 3, 4])] * 2), "known: 4 repeated periods, first 2010-01-01"),
    "not finite": (by_series(population=[*range(8), np.nan, 1]), "known of series 'b': population = nan at 2013-01-01"),
    "infinite for all": (ahead(x=[0, np.inf, 0]), "known: x = inf at 2011-01-01"),
    "a date missing": (by_series().drop(index=6), r"known of series 'b': no row for 2011-01-01 \(1 missing in all\)"),
    "a series missing": (by_series().iloc[:5], r"series 'b': no row for 2010-01-01 \(5 missing in all\)"),
    "a future of other length": (by_series().iloc[:-1], r"series 'b': no row for 2014-01-01 \(1 missing"),
    "ends before the panel": (ahead(x=[1, 2]), "known: no row for 2012-01-01 .* to 2012-01-01"),
    "other series alone": (by_series(unique_id="z" + by_series()["unique_id"]), "series 'a': no row for 2010-01-01 .6"),
    "years before alone": (ahead(first="2001-01-01", x=[1, 2]), "known: no row for 2010-01-01 .3 missing"),
}


@pytest.mark.parametrize("fault", KNOWN_REFUSED)
def test_faults_of_known_columns_are_refused_in_one_line_that_names_them(fault):
    known, said = KNOWN_REFUSED[fault]
    with pytest.raises(InputError, match=said) as caught:
        two_areas(known)
    assert "\n" not in str(caught.value)


def test_ids_of_a_known_frame_may_be_numbers_or_categories():
    rows = long({"1": [1.0, 2], "2": [3.0, 4]})
    known = rows.rename(columns={"y": "x"})
    for ids in (known["unique_id"].astype(int), known["unique_id"].astype("category")):
        made = Panel.from_frame(rows, freq="YS", known=known.assign(unique_id=ids))
        np.testing.assert_array_equal(made.known["x"], made.values)


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
