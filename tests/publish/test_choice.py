import pytest

from forecast.publish.choice import choice

PRIOR = "a starting assumption that is the same for every area"
PATH = "National path with the area's own deviation (area_growth)"
ONE = f"{PATH}, chosen by past errors (forecasts from 6 past years)"


@pytest.mark.parametrize(
    ("model", "reason", "freq", "said"),
    [
        ("auto", "area_growth 1.00; weights from 6 past origins", "YS", f"{ONE}."),
        (
            "auto",
            "area_growth 1.00; weights from 1 past origins and the prior",
            "YS",
            f"{PATH}, chosen by past errors (forecasts from 1 past year) and {PRIOR}.",
        ),
        (
            "auto",
            "theta 0.34, naive 0.33, ets 0.33; weights from the prior",
            "MS",
            "A combination: a third from the theta method (theta), a third from the last figure (naive) and a third "
            f"from exponential smoothing (ets), weighted by {PRIOR}, because no past forecast can be checked yet.",
        ),
        (
            "naive+mine",
            "naive 0.75, mine 0.25; equal weights",
            "MS",
            "A combination: three quarters from the last figure (naive) and a quarter from mine, weighted equally.",
        ),
        (
            "auto",
            "area_growth 1.00; weights from 6 past origins; at the last horizon area_growth 0.60, ets 0.40",
            "YS",
            f"{ONE}, at the end of the projection 60% from the national path with the area's own deviation "
            "(area_growth) and 40% from exponential smoothing (ets).",
        ),
        (
            "auto",
            "area_growth 0.60, ets 0.40; weights from 6 past origins; at the last horizon area_growth 1.00",
            "YS",
            "A combination: 60% from the national path with the area's own deviation (area_growth) and 40% from "
            "exponential smoothing (ets), weighted by past errors (forecasts from 6 past years), at the end of the "
            "projection all from the national path with the area's own deviation (area_growth).",
        ),
        (
            "auto",
            "area_growth 1.00; weights from 6 past origins; from a stated prior; ets failed: singular matrix",
            "YS",
            f"{ONE}. Why: from a stated prior; ets failed: singular matrix.",
        ),
        ("auto", "constant at 5; area_growth 1.00; weights from 6 past origins", "YS", f"{ONE}. Why: constant at 5."),
        ("area_growth", "weights from 6 past origins", "YS", f"{PATH}. Why: weights from 6 past origins."),
        ("drift", "", "YS", "Simple rule: the average past change goes on (drift)."),
    ],
)
def test_the_reason_of_the_ledger_is_said_in_plain_english(model, reason, freq, said):
    assert choice(model, reason, freq=freq) == said


def test_what_auto_says_of_itself_is_understood():
    """The words of the ledger, taken from the code that writes them."""
    import numpy as np

    from forecast.auto import Combination
    from forecast.seasonal_weights import LONG_MEMBERS as MODELS

    weights = np.zeros((2, 1, 3))
    weights[:, 0, :] = [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    points = np.zeros((1, 1, 3))
    for origins, prior in ((0, True), (6, True), (0, False), (1, False), (2, False)):
        evidence = {"origins": np.array([origins]), "prior": prior}
        made = Combination(points, points, weights, ("naive", "ets"), **evidence)
        many = Combination(points, points, np.full((12, 1, 1), 1 / 12), tuple(MODELS), **evidence)
        assert choice("auto", many.reasons()[0], freq="YS").startswith(
            "A combination of 12 methods, the most (8%) from"
        )
        assert "Why:" not in choice("auto", many.reasons()[0], freq="YS")
        said = choice("auto", made.reasons()[0], freq="YS")
        assert said.startswith(
            "A combination: half from the last figure (naive) and half from exponential smoothing (ets)"
        )
        assert "Why:" not in said, said
