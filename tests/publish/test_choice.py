import pytest

from forecast.publish.choice import choice

PRIOR = "a starting assumption that is the same for every area"
UNWEIGHED = "because there are too few long series to weigh them by past errors"
PATH = "National path with the area's own deviation (area_growth)"
ONE = f"{PATH}, chosen by past errors (forecasts from 6 past years)"


@pytest.mark.parametrize(
    ("model", "reason", "freq", "said"),
    [
        ("auto", "area_growth 1.00; weights from 6 past origins", "YS", f"{ONE}."),
        (
            "auto",
            "area_growth 1.00; weights from 1 past origin and the prior",
            "YS",
            f"{PATH}, chosen by past errors (forecasts from 1 past year) and {PRIOR}.",
        ),
        (
            "auto",
            "theta 0.34, naive 0.33, ets 0.33; weights from the prior",
            "MS",
            "A combination of 3 methods: a third from the theta method (theta), a third from the last figure (naive) "
            f"and a third from exponential smoothing (ets), weighted by {PRIOR}, because no past forecast can be "
            "checked yet.",
        ),
        (
            "naive+mine",
            "naive 0.75, mine 0.25; equal weights",
            "MS",
            "A combination of 2 methods: three quarters from the last figure (naive) and a quarter from mine, weighted "
            "equally.",
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
            "A combination of 2 methods: 60% from the national path with the area's own deviation (area_growth) "
            "and 40% from exponential smoothing (ets), weighted by past errors (forecasts from 6 past years), at the "
            "end of the projection all from the national path with the area's own deviation (area_growth).",
        ),
        (
            "auto",
            "area_growth 1.00; weights from 6 past origins; from a stated prior; ets failed: singular matrix",
            "YS",
            f"{ONE}. Note: from a stated prior; ets failed: singular matrix.",
        ),
        ("auto", "constant at 5; area_growth 1.00; weights from 6 past origins", "YS", f"{ONE}. Note: constant at 5."),
        ("area_growth", "weights from 6 past origins", "YS", f"{PATH}. Note: weights from 6 past origins."),
        (
            "auto",
            "damped_trend 0.25, theta_classical 0.25, complex_smoothing 0.25, naive 0.25; equal weights",
            "MS",
            "A combination of 4 methods in equal parts: a trend that flattens (damped_trend), the theta method "
            "(theta_classical), complex exponential smoothing (complex_smoothing) and the last figure (naive), "
            f"{UNWEIGHED}.",
        ),
        (
            "auto",
            "10 members, the most theta_shrunk 0.10; equal weights; 1 missing interpolated",
            "MS",
            f"A combination of 10 methods in equal parts, {UNWEIGHED}. Note: 1 missing figure filled in.",
        ),
        (
            "auto",
            "11 members, the most sparse_mean 0.40; equal weights",
            "MS",
            "A combination of 11 methods, the most (40%) from a mean of methods for rare counts (sparse_mean), "
            "weighted by how many figures are zero.",
        ),
        (
            "auto",
            "10 members, the most ar_trend 0.27; weights from 2 past origins",
            "MS",
            "A combination of 10 methods, the most (27%) from an autoregression around a trend (ar_trend), weighted by "
            "past errors (forecasts from 2 past months).",
        ),
        (
            "auto",
            "naive 1.00; equal weights",
            "MS",
            "Simple rule: the same as the last month (naive), the only method that could answer.",
        ),
        (
            "count_regression",
            "rate ratios (95 %): a year 1.01 (0.91 to 1.12); self_referral 1.26 (under 0.01 to 1.78); covid held out: "
            "17 figures; new_duty left out: it is the same at every figure",
            "MS",
            "Regression of counts, each area alone (count_regression). Figures are multiplied by (19 in 20 ranges in "
            "brackets): each further year 1.01 (0.91 to 1.12); self referral 1.26 (under 0.01 to 1.78). Note: 17 "
            "figures of covid not learnt from; new_duty left out: it is the same at every figure.",
        ),
        ("drift", "", "YS", "Simple rule: the average past change goes on (drift)."),
    ],
)
def test_the_reason_of_the_ledger_is_said_in_plain_english(model, reason, freq, said):
    assert choice(model, reason, freq=freq) == said


def test_what_auto_says_of_itself_is_understood():
    """The words of the ledger, taken from the code that writes them."""
    import numpy as np

    from forecast.auto import Combination
    from forecast.seasonal_weights import LONG_MEMBERS

    weights = np.full((2, 1, 3), 0.5)
    points = np.zeros((1, 1, 3))
    for origins, prior in ((0, True), (6, True), (0, False), (1, False), (2, False)):
        evidence = {"origins": np.array([origins]), "prior": prior}
        made = Combination(points, points, weights, ("naive", "ets"), **evidence)
        many = Combination(points, points, np.full((10, 1, 1), 1 / 10), LONG_MEMBERS, **evidence)
        said = [choice("auto", each.reasons()[0], freq="YS") for each in (made, many)]
        assert said[0].startswith("A combination of 2 methods")
        assert "the last figure (naive) and" in said[0]
        assert said[1].startswith("A combination of 10 methods")
        assert all("Note:" not in each and " 0." not in each for each in said), said


def test_what_models_say_of_interventions_is_understood():
    from forecast.models.known import ratio_in_words, ratios_in_words

    ratios = [ratio_in_words("a year", 0.01, 0.05), ratio_in_words("covid", -9.0, 2.0)]
    said = choice("structural", ratios_in_words("ratios", ratios, ["duty held out: 1 figure"]), freq="MS")
    assert said == (
        "Structural model, each area alone (structural). Figures are multiplied by (19 in 20 ranges in brackets): each "
        "further year 1.01 (0.92 to 1.11); covid under 0.01 (under 0.01 to under 0.01). Note: 1 figure of duty "
        "not learnt from."
    )


def test_what_the_engine_says_of_short_and_rare_series_is_told_in_words():
    import numpy as np

    from forecast.publish.choice import KINDS
    from forecast.seasonal_weights import kinds_of_series
    from tests.panels import window

    months = np.full((4, 40), 50.0) + np.arange(40) % 12
    months[0, :32] = months[1, :20] = np.nan
    months[2, ::2] = 0
    said = kinds_of_series(window(months, "MS"))
    assert said[3] == ""
    assert set(said[:3]) == set(KINDS)
    for kind in said[:3]:
        told = choice("auto", f"sparse_mean 1.00; equal weights; {kind}", freq="MS")
        assert f"{kind}." not in told
        assert ("Note: the series is in its" in told) == ("year" in kind)
