"""Forecast: totals are taken on paths, quantiles at the edge."""

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast import Forecast, SpecError, paths

LEDGER = pd.DataFrame(columns=["unique_id", "model", "status", "reason", "n_obs", "last_ds"])


def made(array, *, freq: str = "MS", start: str = "2024-07-01", keys: dict | None = None) -> Forecast:
    array = np.asarray(array, dtype=float)
    ids = tuple(f"s{i}" for i in range(len(array)))
    return Forecast(
        ids=ids,
        ds=pd.date_range(start, periods=array.shape[1], freq=freq),
        paths=array,
        keys=pd.DataFrame(keys or {}, index=pd.Index(ids, name="unique_id")),
        freq=freq,
        ledger=LEDGER,
    )


def opposite() -> Forecast:
    """Two series that mirror each other: each is 0 to 10, their sum is always 10."""
    up = np.arange(11.0)
    return made([[up], [10 - up]], keys={"area": ["A", "B"]})


def test_totals_are_summed_on_paths_not_on_quantiles():
    fc = opposite()
    apart = fc.to_frame()
    assert apart["hi-80"].sum() == pytest.approx(18)
    total = fc.total()
    assert total["lo-95"].tolist() == total["median"].tolist() == total["hi-95"].tolist() == [10.0]


def test_a_total_over_medians_would_be_wrong():
    fc = made([[[0.0, 0.0, 9.0]], [[0.0, 9.0, 0.0]], [[9.0, 0.0, 0.0]]])
    assert fc.to_frame()["median"].sum() == 0
    assert fc.total()["median"].tolist() == [9.0]


def test_frame_of_known_paths():
    frame = made([[np.arange(101.0)]]).to_frame(levels=[80, 95, 50.5])
    assert frame.columns.tolist() == [
        *["unique_id", "ds", "mean", "median", "lo-80", "hi-80", "lo-95", "hi-95", "lo-50.5", "hi-50.5"]
    ]
    assert frame.iloc[0, 2:].astype(float).round(6).tolist() == [50, 50, 10, 90, 2.5, 97.5, 24.75, 75.25]


def test_rows_are_series_by_period():
    fc = made([[[1.0], [2.0]], [[3.0], [4.0]]])
    frame = fc.to_frame()
    assert frame["unique_id"].tolist() == ["s0", "s0", "s1", "s1"]
    assert frame["ds"].dt.month.tolist() == [7, 8, 7, 8]
    assert frame["mean"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_quantiles_are_named_by_their_number():
    frame = made([[np.arange(11.0)]]).quantiles([0.1, 0.5, 0.9])
    assert frame.columns.tolist() == ["unique_id", "ds", 0.1, 0.5, 0.9]
    assert frame.loc[0, [0.1, 0.5, 0.9]].astype(float).tolist() == [1.0, 5.0, 9.0]


@pytest.mark.parametrize("q", [0, 1, 10, -0.1])
def test_quantiles_outside_are_refused(q):
    with pytest.raises(SpecError, match=f"quantile {q}: strictly between 0 and 1"):
        opposite().quantiles([q])


@pytest.mark.parametrize("level", [0, 100, -5])
def test_levels_outside_are_refused(level):
    with pytest.raises(SpecError, match=f"level {level}: a percentage strictly between"):
        opposite().to_frame(levels=[level])


def test_prob_above_counts_paths_strictly_above():
    fc = made([[[1.0, 2.0, 3.0, 4.0]]])
    assert fc.prob_above(2)["prob_above"].tolist() == [0.5]
    assert fc.prob_above(0)["prob_above"].tolist() == [1.0]
    assert fc.prob_above(4)["prob_above"].tolist() == [0.0]


def test_academic_years_are_summed_path_by_path():
    months = np.zeros((1, 14, 2))
    months[0, :, 0], months[0, :, 1] = 1.0, np.arange(14)
    total = made(months).total(by="academic_year")
    assert total["academic_year"].tolist() == ["2023/24", "2024/25"]
    assert total["n_periods"].tolist() == [2, 12]
    assert total["mean"].tolist() == [(2 + 1) / 2, (12 + sum(range(2, 14))) / 2]


def test_calendar_years_and_their_lengths():
    total = made(np.ones((2, 7, 3))).total(by="calendar_year")
    assert total["calendar_year"].tolist() == ["2024", "2025"]
    assert total["n_periods"].tolist() == [6, 1]
    assert total["median"].tolist() == [12.0, 2.0]


def test_totals_by_key_and_where():
    fc = made(
        np.arange(1.0, 5.0)[:, None, None] * np.ones((4, 2, 3)),
        keys={"measure": ["m", "m", "n", "n"], "area": ["A", "B", "A", "B"]},
    )
    by_area = fc.total(by="area", where={"measure": "n"})
    assert by_area[["area", "median"]].to_numpy().tolist() == [["A", 3.0], ["A", 3.0], ["B", 4.0], ["B", 4.0]]
    assert by_area["ds"].dt.month.tolist() == [7, 8, 7, 8]
    assert fc.total(where={"area": ["A", "B"], "measure": "m"})["median"].tolist() == [3.0, 3.0]
    assert fc.total(by="unique_id")["median"].tolist() == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]
    assert fc.total(where={"unique_id": "s3"})["median"].tolist() == [4.0, 4.0]


def test_series_without_a_key_value_are_a_total_of_their_own():
    fc = made(np.ones((3, 1, 2)), keys={"region": ["N", None, "N"]})
    total = fc.total(by="region")
    assert total["median"].tolist() == [2.0, 1.0]
    assert total["region"].isna().tolist() == [False, True]


def test_wrong_totals_are_refused():
    with pytest.raises(SpecError, match="key 'region': the forecast has the keys unique_id, area"):
        opposite().total(by="region")
    with pytest.raises(SpecError, match="no series matches"):
        opposite().total(where={"area": "Z"})
    with pytest.raises(SpecError, match="periods are already years"):
        made(np.ones((1, 2, 3)), freq="YS", start="2024-01-01").total(by="academic_year")


def test_a_forecast_without_answers_gives_empty_tables():
    fc = made(np.empty((0, 3, 5)))
    assert fc.to_frame().columns.tolist() == ["unique_id", "ds", "mean", "median", "lo-80", "hi-80", "lo-95", "hi-95"]
    assert len(fc.to_frame()) == len(fc.quantiles([0.5])) == len(fc.prob_above(1)) == 0
    with pytest.raises(SpecError, match="no series has an answer"):
        fc.total()


numbers = st.floats(0, 1e6, allow_nan=False)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(arrays(float, (3, 4, 7), elements=numbers))
def test_quantiles_are_ordered_and_means_add(array):
    fc = made(array)
    frame = fc.to_frame()
    ends = frame[["lo-95", "lo-80", "median", "hi-80", "hi-95"]].to_numpy()
    assert (np.diff(ends, axis=1) >= 0).all()
    by_date = frame.groupby("ds")["mean"].sum().to_numpy()
    np.testing.assert_allclose(fc.total()["mean"], by_date)
    np.testing.assert_allclose(fc.total(by="calendar_year")["mean"].sum(), by_date.sum())


class Lazy:
    """A source that remembers how many series were drawn at a time; row i is drawn from seed i."""

    def __init__(self, n_paths: int = 21) -> None:
        self.n_paths, self.drawn = n_paths, []

    def draw(self, rows):
        self.drawn.append(len(rows))
        each = [np.random.default_rng(int(i)).gamma(2.0, 50.0, (14, self.n_paths)) for i in rows]
        return np.stack(each)


def lazy(source, n: int = 23) -> Forecast:
    keys = pd.DataFrame({"area": [f"a{i % 3}" for i in range(n)], "odd": [i % 2 for i in range(n)]})
    ids = tuple(f"s{i:02d}" for i in range(n))
    ds = pd.date_range("2024-07-01", periods=14, freq="MS")
    keys = keys.set_index(pd.Index(ids, name="unique_id"))
    return Forecast(ids=ids, ds=ds, paths=source, keys=keys, freq="MS", ledger=LEDGER)


@pytest.fixture
def small_blocks(monkeypatch):
    """Two series a block, three parts a sum."""
    monkeypatch.setattr(paths, "BLOCK_VALUES", 2 * 14 * 21 + 1)
    monkeypatch.setattr(paths, "SUM_PARTS", 3)


ASKED = {
    "frame": lambda fc: fc.to_frame([50, 80, 95]),
    "quantiles": lambda fc: fc.quantiles([0.05, 0.3, 0.5, 0.99]),
    "chance": lambda fc: fc.prob_above(100),
    "total": lambda fc: fc.total(),
    "years": lambda fc: fc.total(by="academic_year", where={"odd": 1}),
    "areas": lambda fc: fc.total(by="area", levels=[60]),
    "numbers": lambda fc: fc.total(by="odd"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_paths_drawn_in_blocks_give_what_whole_paths_give(asked, small_blocks, monkeypatch):
    source = Lazy()
    whole = Lazy().draw(range(23))
    expected = ASKED[asked](lazy(whole))
    by_threads = []
    for threads in ("1", "3"):
        monkeypatch.setenv("FORECAST_THREADS", threads)
        by_threads.append(ASKED[asked](lazy(source)))
    pd.testing.assert_frame_equal(*by_threads, check_exact=True)
    pd.testing.assert_frame_equal(by_threads[0], expected, check_exact=True)
    assert max(source.drawn) == 2


def test_figures_are_those_of_numpy(small_blocks):
    whole = Lazy().draw(range(23))
    fc = lazy(Lazy())
    quantiles = fc.quantiles([0.05, 0.3, 0.5, 0.99])
    for q in (0.05, 0.3, 0.5, 0.99):
        np.testing.assert_array_equal(quantiles[q], np.quantile(whole, q, axis=2).ravel())
    frame = fc.to_frame([80, 55])
    np.testing.assert_array_equal(frame["mean"], whole.mean(axis=2).ravel())
    np.testing.assert_array_equal(frame["median"], np.median(whole, axis=2).ravel())
    np.testing.assert_array_equal(frame["lo-80"], np.quantile(whole, (1 - 0.8) / 2, axis=2).ravel())
    np.testing.assert_array_equal(frame["hi-55"], np.quantile(whole, 1 - (1 - 0.55) / 2, axis=2).ravel())
    np.testing.assert_array_equal(fc.prob_above(100)["prob_above"], (whole > 100).mean(axis=2).ravel())
    total = fc.total(by="area", levels=[60])
    np.testing.assert_allclose(total["mean"].iloc[14:28], whole[1::3].sum(axis=0).mean(axis=1))
    np.testing.assert_allclose(total["hi-60"].iloc[14:28], np.quantile(whole[1::3].sum(axis=0), 0.8, axis=1))


@pytest.mark.parametrize("n_paths", [1, 2, 3, 10])
def test_quantiles_of_few_paths_are_those_of_numpy(n_paths):
    array = np.random.default_rng(1).gamma(2.0, 50.0, (2, 3, n_paths))
    qs = [0.001, 0.25, 0.4, 0.75, 0.999]
    table = made(array).quantiles(qs)
    for q in qs:
        np.testing.assert_array_equal(table[q], np.quantile(array, q, axis=2).ravel())
    median = made(array).to_frame()["median"]
    np.testing.assert_allclose(median, np.median(array, axis=2).ravel(), rtol=1e-15)


def test_missing_paths_are_not_hidden():
    frame = made([[[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]]]).to_frame()
    assert frame["median"].isna().tolist() == frame["lo-80"].isna().tolist() == [True, False]


def test_whole_paths_are_drawn_when_asked_for_and_kept_if_few(small_blocks, monkeypatch):
    source = Lazy()
    fc = lazy(source)
    np.testing.assert_array_equal(fc.paths, Lazy().draw(range(23)))
    drawn = len(source.drawn)
    assert fc.paths is fc.paths
    fc.to_frame()
    assert len(source.drawn) == drawn
    monkeypatch.setattr(paths, "KEPT_VALUES", 23 * 14 * 21 - 1)
    fc = lazy(source)
    np.testing.assert_array_equal(fc.paths, fc.paths)
    assert len(source.drawn) == 3 * drawn


def test_given_paths_are_given_back():
    array = np.ones((2, 3, 4))
    assert made(array).paths is array
    assert repr(made(array)) == "Forecast(2 series, 3 periods, 4 paths)"


def test_a_forecast_is_not_written_to_but_replaced(small_blocks):
    fc = lazy(Lazy())
    with pytest.raises(FrozenInstanceError):
        fc.ids = ()
    with pytest.raises(AttributeError):
        fc.paths = np.ones((23, 14, 21))
    quarterly = replace(fc, freq="QS")
    assert (quarterly.freq, fc.freq) == ("QS", "MS")
    assert quarterly.source is fc.source
    assert not fc.source.drawn
    drawn = fc.paths
    assert replace(fc, freq="QS").paths is not drawn
    ones = np.ones((23, 14, 5))
    other = replace(fc, paths=ones)
    assert other.paths is ones
    assert other.total()["mean"].eq(23).all()
    assert fc.paths is drawn
    assert [each.name for each in fields(fc) if each.init] == ["ids", "ds", "source", "keys", "freq", "ledger"]


def test_a_forecast_without_paths_or_source_is_refused():
    with pytest.raises(TypeError, match="paths or their source"):
        Forecast(ids=(), ds=pd.DatetimeIndex([]), keys=pd.DataFrame(), freq="MS", ledger=LEDGER)


def test_reading_figures_leaves_the_paths_alone():
    array = np.array([[[3.0, 1.0, 2.0]]])
    fc = made(array)
    fc.to_frame()
    fc.quantiles([0.5])
    assert array.tolist() == [[[3.0, 1.0, 2.0]]]


def test_a_source_without_series_is_never_drawn():
    source = Lazy()
    fc = lazy(source, n=0)
    assert fc.paths.shape == (0, 14, 21)
    assert len(fc.to_frame()) == len(fc.prob_above(1)) == 0
    assert not source.drawn
