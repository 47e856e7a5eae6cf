"""The one contract every registered model keeps, alone and behind `forecast_panel`.

A model that is added to `forecast/models` is tested here without a line of its own.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from forecast import Panel, forecast_panel, models
from forecast.evaluate.origins import rolling_points
from tests.panels import growing, long, panel

HORIZON = 3
SHAPES = {"annual": ("YS", 8), "short months": ("MS", 9), "three years of months": ("MS", 36)}
SKIPPED = {
    ("arima", "three years of months"): "a seasonal fit takes a second: its points are tested, not its intervals",
    ("prophet", "three years of months"): "the fits of nine origins take seconds: its points are tested",
}


def series(name: str, shape: str) -> dict[str, np.ndarray]:
    """Ten series for models that answer a batch, two for the others."""
    rows = growing(10, SHAPES[shape][1])
    return rows if models.get(name).capability.batch else {key: rows[key] for key in list(rows)[:2]}


def params(skipped: dict[tuple[str, str], str]):
    return [
        pytest.param(
            name, shape, marks=[pytest.mark.skip(reason=skipped[name, shape])] if (name, shape) in skipped else []
        )
        for name in models.names()
        for shape in SHAPES
    ]


@pytest.mark.parametrize(("name", "shape"), params({}))
def test_points_are_finite_not_negative_and_leave_their_input_alone(name, shape):
    freq, length = SHAPES[shape]
    made = panel(series(name, shape), freq).window()
    row = made.rows(range(len(made.ids))) if models.get(name).capability.batch else made.rows([0])
    if length < models.get(name).capability.needed(made.period):
        pytest.skip(f"{name} needs {models.get(name).capability.needed(made.period)} figures")
    before = row.values.copy()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        first = models.get(name).forecast(row, HORIZON)
        again = models.get(name).forecast(row, HORIZON)
    assert first.shape == (len(row.ids), HORIZON)
    assert np.isfinite(first).all()
    assert (first >= 0).all()
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(row.values, before)


@pytest.mark.parametrize(("name", "shape"), params(SKIPPED))
def test_forecast_panel(name, shape):
    freq, length = SHAPES[shape]
    rows = long(series(name, shape), freq)
    before = rows.copy(deep=True)
    made = Panel.from_frame(rows, freq=freq, groups=[])
    frame = made.frame.copy(deep=True)
    fc = forecast_panel(made, horizon=HORIZON, model=name, seed=5, n_paths=50)
    answered = length >= models.get(name).capability.needed(made.period)
    assert set(fc.ledger["status"]) == {"ok" if answered else "short"}
    assert set(fc.ledger["model"]) == {name if answered else "naive"}
    assert fc.ids == made.ids
    assert fc.paths.shape == (len(made.ids), HORIZON, 50)
    assert np.isfinite(fc.paths).all()
    assert (fc.paths >= 0).all()
    expected = pd.date_range(rows["ds"].max(), periods=HORIZON + 1, freq=freq)[1:]
    assert list(fc.ds) == list(expected)
    ends = fc.to_frame()[["lo-95", "lo-80", "median", "hi-80", "hi-95"]].to_numpy()
    assert (np.diff(ends, axis=1) >= 0).all()
    assert (ends[:, -1] > ends[:, 0]).all()
    pd.testing.assert_frame_equal(rows, before)
    pd.testing.assert_frame_equal(made.frame, frame)


@pytest.mark.parametrize("name", models.names())
def test_order_of_rows_and_seed_decide_nothing_and_everything(name):
    rows = long(series(name, "annual"))
    made = Panel.from_frame(rows, freq="YS")
    shuffled = Panel.from_frame(rows.sample(frac=1, random_state=3), freq="YS")
    ask = {"horizon": 2, "model": name, "n_paths": 20}
    first = forecast_panel(made, seed=1, **ask)
    same = forecast_panel(shuffled, seed=1, **ask)
    other = forecast_panel(made, seed=2, **ask)
    assert first.ids == same.ids
    np.testing.assert_array_equal(first.paths, same.paths)
    assert not np.array_equal(first.paths, other.paths)


@pytest.mark.parametrize("name", models.names())
def test_too_short_is_answered_by_the_ladder_or_refused_in_the_ledger(name):
    rows = {"one": [np.nan, np.nan, 7.0], "none": [np.nan] * 3, "two": [np.nan, 5.0, 8.0], "three": [4.0, 5.0, 8.0]}
    fc = forecast_panel(panel(rows), horizon=2, model=name, n_paths=20)
    ledger = fc.ledger.set_index("unique_id")
    assert fc.ids == ("three", "two")
    assert ledger.loc[["none", "one"], "status"].tolist() == ["not_enough_data"] * 2
    assert ledger.loc["one", "reason"] == "1 figure; at least 2 needed"
    assert ledger.loc["none", "last_ds"] is pd.NaT
    needed = models.get(name).capability.needed(1)
    for series_id, n in (("two", 2), ("three", 3)):
        entry = ledger.loc[series_id]
        assert entry["status"] == ("ok" if n >= needed else "short")
        assert entry["model"] == (name if n >= needed else "naive")
        if n < needed:
            assert entry["reason"] == f"{name}: short: {n} figures, {needed} needed; answered by naive"


@pytest.mark.parametrize("name", models.names())
def test_zeros_and_constants_are_survived_and_said(name):
    rows = {"zero": [0.0] * 8, "same": [40.0] * 8}
    if not models.get(name).capability.slow:
        rows["rare"] = [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    fc = forecast_panel(panel(rows), horizon=2, model=name, n_paths=200)
    assert fc.ids == tuple(sorted(rows))
    assert np.isfinite(fc.paths).all()
    reasons = fc.ledger.set_index("unique_id")["reason"]
    assert reasons["zero"].startswith("constant at 0")
    assert reasons["same"].startswith("constant at 40")
    median = fc.to_frame().set_index("unique_id")["median"]
    np.testing.assert_allclose(median["same"], 40, rtol=0.15)
    assert (median["zero"] < 1).all()


@pytest.mark.parametrize("name", models.names())
def test_gaps_inside_and_late_starts_are_survived(name):
    rows = series(name, "annual")
    gappy = {key: y.copy() for key, y in rows.items()}
    first, second = list(gappy)[:2]
    gappy[first][3] = np.nan
    gappy[second][:2] = np.nan
    made = panel(gappy)
    rolled = rolling_points(made.window(), {name: models.get(name)}, horizon=2, ends=[8])
    assert np.isfinite(rolled.points[name]).all()
    assert (rolled.points[name] >= 0).all()
