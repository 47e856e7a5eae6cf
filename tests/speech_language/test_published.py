"""Published lists forecast together: what points follow, what ranges learn, and that nothing later is looked at."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast import reference
from forecast.errors import InputError, SpecError
from forecast.speech_language.list_panel import list_panel
from forecast.speech_language.published import forecast_lists, spread_of
from tests.speech_language.published_lists import observations

SHARES = np.array([0.05, 0.05, 0.1, 0.3, 0.2, 0.25, 0.05])


def panel_of(totals, shares=SHARES, **given):
    """A panel of lists with these totals (n, N) and the same shares of bands, or their own (n, N, 7)."""
    totals = np.asarray(totals, dtype=float)
    bands = totals[:, :, None] * shares
    return list_panel(observations({f"P{k:02}": row for k, row in enumerate(bands)}, **given))


def wandering(n, n_months, *, spread=0.05, seed=1):
    """Random walks of lists, half of them straying three times as far."""
    rng = np.random.default_rng(seed)
    scale = spread * np.where(np.arange(n) < n / 2, 1.0, 3.0)[:, None]
    return 500 * np.exp(np.cumsum(scale * rng.standard_normal((n, n_months)), axis=1))


PANEL = panel_of(wandering(40, 9))


def test_panel_is_laid_out_with_bands_scaled_to_totals():
    rows = observations(
        {"B": [SHARES * 100] * 3, "A": [SHARES * 100, SHARES * 0, SHARES * np.nan]}, totals={"A": [200, 50, np.nan]}
    )
    panel = list_panel(rows)
    assert panel.ids == ("A", "B")
    assert panel.total[0].tolist()[:2] == [200, 50]
    assert panel.bands[0, 0].tolist() == pytest.approx((200 * SHARES).tolist())
    assert np.isnan(panel.bands[0, 1:]).all() and np.isnan(panel.total[0, 2])
    assert panel.share[1].tolist() == pytest.approx([30, 30, 30])
    assert panel.until(2).total.shape == (2, 2)
    with pytest.raises(InputError, match="none of level 'icb'"):
        list_panel(rows, level="icb")


def test_lists_fall_in_august_and_rise_in_march_by_school_days():
    steady = panel_of(np.full((10, 7), 400.0))  # January to July
    made = forecast_lists(steady, horizon=8, n_paths=50)
    assert (made.size[:, 0] < 0.98 * 400).all()
    assert (made.size[:, 7] > made.size[:, 6]).all()
    assert [f"{month:%m}" for month in made.months] == ["08", "09", "10", "11", "12", "01", "02", "03"]


def test_how_much_school_days_move_lists_is_learnt():
    months = pd.date_range("2020-01-01", periods=36, freq="MS")
    fall = np.exp(np.cumsum(np.where(months.month == 8, -0.2, 0.2 / 11)))
    learnt = forecast_lists(panel_of(np.outer(np.full(10, 400), fall[:31]), start="2020-01-01"), horizon=1, n_paths=50)
    steady = forecast_lists(panel_of(np.full((10, 31), 400.0), start="2020-01-01"), horizon=1, n_paths=50)
    assert (learnt.size / (400 * fall[30]) < steady.size / 400 - 0.05).all()


def test_a_share_rises_with_the_children_about_to_pass_18_weeks():
    shares = np.tile(SHARES, (10, 9, 1))
    shares[0, :, 3:5] = [0.1, 0.4]
    made = forecast_lists(panel_of(np.full((10, 9), 400.0), shares), horizon=3, n_paths=50)
    assert made.share[0, 0] == pytest.approx(30 + 0.15 * 20)
    assert made.share[0, 2] == pytest.approx(30 + 0.15 * 20 * (1 + 0.6 + 0.36))
    assert made.share[1:] == pytest.approx(30.0)


def test_lists_that_strayed_further_have_wider_ranges_and_all_cover():
    truth = wandering(40, 12)
    made = forecast_lists(panel_of(truth[:, :9]), horizon=3, n_paths=2000, seed=2)
    low, high = np.quantile(made.size_paths, [0.1, 0.9], axis=2)
    width = np.log(high / low)
    assert np.median(width[20:, 0]) > 1.4 * np.median(width[:20, 0])
    assert (width[:, 2] > 1.3 * width[:, 0]).all()
    assert 0.7 < ((low <= truth[:, 9:]) & (truth[:, 9:] <= high)).mean() < 0.97


def test_futures_are_seeded_share_a_drift_and_stay_in_bounds():
    one, again, other = (forecast_lists(PANEL, horizon=2, n_paths=500, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.size_paths, again.size_paths)
    assert not np.array_equal(one.size_paths, other.size_paths)
    assert (one.size_paths >= 0).all() and (one.share_paths >= 0).all() and (one.share_paths <= 100).all()
    logs = np.log(one.size_paths[:20, 1])
    together = np.corrcoef(logs)[np.triu_indices(20, 1)].mean()
    assert together > 0.05


def test_nothing_later_is_looked_at():
    rng = np.random.default_rng(0)
    later = replace(PANEL, total=PANEL.total.copy(), bands=PANEL.bands.copy())
    later.total[:, 6:] *= rng.uniform(0.3, 3, (40, 3))
    later.bands[:, 6:] *= rng.uniform(0.3, 3, (40, 3, 7))
    one, other = (forecast_lists(each.until(6), horizon=3, n_paths=20) for each in (PANEL, later))
    assert np.array_equal(one.size_paths, other.size_paths) and np.array_equal(one.share_paths, other.share_paths)


def test_a_zero_after_a_long_list_is_carried_over_and_a_gap_too():
    totals = wandering(12, 8)
    totals[0, -1] = 0.0
    totals[1, -1] = np.nan
    made = forecast_lists(panel_of(totals), horizon=1, n_paths=20)
    assert made.size[:2, 0] == pytest.approx(totals[:2, -2], rel=0.1)
    assert np.isfinite(made.size_paths).all() and np.isfinite(made.share_paths).all()


def test_what_cannot_be_forecast_is_refused():
    with pytest.raises(SpecError, match="horizon 0"):
        forecast_lists(PANEL, horizon=0)
    with pytest.raises(InputError, match="40 organisations over 1 months"):
        forecast_lists(PANEL.until(1), horizon=1)
    with pytest.raises(InputError, match="2 organisations"):
        forecast_lists(PANEL.take(np.arange(40) < 2), horizon=1)
    with pytest.raises(InputError, match="P03: no month has one"):
        forecast_lists(replace(PANEL, total=np.where(np.arange(40)[:, None] == 3, 0.0, PANEL.total)), horizon=1)


def test_spread_is_the_standard_deviation_of_normal_errors_of_a_list_of_600():
    errors = 0.1 * np.random.default_rng(1).standard_normal(20000)
    assert spread_of(errors, np.full(20000, 600.0)) == pytest.approx(0.1, rel=0.03)
    assert spread_of(errors, np.full(20000, 600.0 / 16)) == pytest.approx(0.05, rel=0.03)


def test_all_bundled_providers_have_a_forecast():
    panel = list_panel(reference.slt_waiting().observations)
    made = forecast_lists(panel.take((panel.total > 0).any(axis=1)), horizon=6, n_paths=100)
    assert np.isfinite(made.size_paths).all() and np.isfinite(made.share_paths).all()
    assert len(made.ids) > 80
