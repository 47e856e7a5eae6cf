"""Rules of thumb against numbers worked out by hand; peers and ceilings in the shape of models."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from experiments import la_methods
from experiments.la_methods import (
    FIXED,
    ORDER,
    PEERS,
    RULES,
    Peer,
    generic_methods,
    half_own_half_national,
    national_growths,
    national_last,
    national_mean,
    national_totals,
    peer_methods,
)
from forecast.panel import Panel
from forecast.study import study_panel

TWO_AREAS = np.array([[100.0, 110.0, 121.0], [300.0, 330.0, 330.0]])  # nation 400, 440, 451


def test_national_rules():
    np.testing.assert_allclose(national_growths(TWO_AREAS), np.log([1.1, 1.025]))
    np.testing.assert_allclose(
        national_last(TWO_AREAS, 2), [[121 * 1.025, 121 * 1.025**2], [330 * 1.025, 330 * 1.025**2]]
    )
    np.testing.assert_allclose(national_last(TWO_AREAS, 1, share=0.5)[:, 0], [121 * 1.025**0.5, 330 * 1.025**0.5])
    np.testing.assert_allclose(national_mean(TWO_AREAS, 1)[0], 121 * (451 / 400) ** (1 / 2))


def test_national_means_look_at_the_last_growths_or_at_all():
    values = np.array([[1.0, 50.0, 100.0, 200.0, 800.0]])
    np.testing.assert_allclose(national_mean(values, 2, years=3), [[800 * 16 ** (1 / 3), 800 * 16 ** (2 / 3)]])
    np.testing.assert_allclose(national_mean(values, 2), [[800 * 800 ** (1 / 4), 800 * 800 ** (2 / 4)]])


def test_half_own_half_national_is_the_geometric_mean_of_both_growths():
    points = half_own_half_national(TWO_AREAS, 2)
    np.testing.assert_allclose(points[0], [121 * (1.1 * 1.025) ** 0.5, 121 * 1.1 * 1.025])
    np.testing.assert_allclose(points[1, 0], 330 * 1.025**0.5)


def test_an_area_without_its_last_figure_goes_with_the_nation_from_the_one_before():
    values = np.array([[100.0, 110.0, np.nan], [300.0, 330.0, 363.0]])
    np.testing.assert_allclose(national_growths(values), np.log([1.1, 1.1]))
    for rule in RULES:
        assert np.isfinite(rule.points(values, 2)).all(), rule.name
    np.testing.assert_allclose(half_own_half_national(values, 1)[0, 0], 110 * 1.1)


def test_the_rules_listed_are_the_six_of_the_comparison():
    values = np.array([[50.0, 100.0, 110.0, 121.0], [350.0, 300.0, 330.0, 330.0]])  # nation 400, 400, 440, 451
    last, mean = 1.025, (451 / 400) ** (1 / 3)
    expected = [last, (1.1 * last) ** 0.5, last**0.5, last**0.7, mean, mean]
    np.testing.assert_allclose([rule.points(values, 1)[0, 0] / 121 for rule in RULES], expected)


def test_every_method_has_its_place_in_the_table():
    assert set(generic_methods()) | set(PEERS) < set(ORDER)
    assert len(set(ORDER)) == len(ORDER)
    assert not {"auto", "area_growth", "ehc"} & set(FIXED)


class Fitter:
    """Stands in for a model of statsforecast: fails on series that start at 1, has no number for those at 2."""

    def __init__(self, *, season_length: int) -> None:
        assert season_length == 1

    def forecast(self, y: np.ndarray, h: int) -> dict[str, np.ndarray]:
        if y[0] == 1:
            raise NotImplementedError("tiny datasets")
        return {"mean": np.full(h, np.nan if y[0] == 2 else y.mean())}


@pytest.fixture
def fitters(monkeypatch):
    models = SimpleNamespace(**dict.fromkeys(PEERS, Fitter))
    monkeypatch.setitem(sys.modules, "statsforecast", SimpleNamespace(models=models))
    monkeypatch.setitem(sys.modules, "statsforecast.models", models)
    monkeypatch.setattr(la_methods, "find_spec", lambda name: object())


def test_peers_run_through_the_origins_and_carry_the_last_figure_where_they_fail(fitters):
    values = np.array([[10.0, 20.0, 30.0, 40.0], [1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0]])
    rows = [(f"s{i}", f"{2018 + t}-01-01", y) for i, line in enumerate(values) for t, y in enumerate(line)]
    panel = Panel.from_frame(pd.DataFrame(rows, columns=["unique_id", "ds", "y"]), freq="YS")
    assert list(peer_methods()) == list(PEERS)
    study = study_panel(panel, {"AutoETS": Peer("AutoETS")}, horizon=2, origins=1)
    assert study.rolling.points["AutoETS"][-1].tolist() == [[25, 25], [4, 4], [5, 5]]


def test_without_statsforecast_there_are_no_peers(monkeypatch):
    monkeypatch.setattr(la_methods, "find_spec", lambda name: None)
    assert peer_methods() == {}


def test_a_peer_is_the_model_of_statsforecast():
    fitter = pytest.importorskip("statsforecast.models")
    y = np.array([100.0, 112, 119, 133, 150, 158, 171, 190, 201])
    rows = [("s", f"{2010 + t}-01-01", value) for t, value in enumerate(y)]
    panel = Panel.from_frame(pd.DataFrame(rows, columns=["unique_id", "ds", "y"]), freq="YS")
    for name in PEERS:
        expected = getattr(fitter, name)(season_length=1).forecast(y, 3)["mean"]
        np.testing.assert_allclose(Peer(name).forecast(panel.window(), 3)[0], expected)


def test_national_totals_are_by_year():
    rows = [(f"s{i}", f"{2018 + t}-01-01", y) for i, line in enumerate(TWO_AREAS) for t, y in enumerate(line)]
    panel = Panel.from_frame(pd.DataFrame(rows, columns=["unique_id", "ds", "y"]), freq="YS")
    assert national_totals(panel) == {2018: 400, 2019: 440, 2020: 451}
