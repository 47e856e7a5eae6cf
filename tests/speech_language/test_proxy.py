"""A provider's published list, and the referrals guessed from it."""

import numpy as np
import pandas as pd
import pytest

from forecast import reference
from forecast.errors import InputError
from forecast.speech_language.proxy import band_history, referral_proxy, sudden_zeros
from tests.speech_language.published_lists import observations

MONTH = [10.0, 8.0, 20.0, 60.0, 20.0, 10.0, 2.0]
SHORT = [0.0, 0.0, 20.0, 60.0, 20.0, 10.0, 2.0]


def test_history_is_found_by_code_or_name_and_knows_when_it_was_published():
    rows = observations({"AAA": [MONTH, MONTH], "BBB": [SHORT, SHORT]})
    for asked in ("AAA", "aaa trust", " AAA Trust "):
        history = band_history(rows, asked)
        assert (history.code, history.name) == ("AAA", "AAA Trust")
        assert history.bands.tolist() == [MONTH, MONTH]
        assert history.total.tolist() == [130.0, 130.0]
        assert history.available[1] == pd.Timestamp("2023-02-01") + pd.Timedelta(days=70)
        assert history.notes == ()


def test_an_unknown_name_is_refused_with_those_near():
    with pytest.raises(InputError, match=r"no such organisation among 1\. Near: AAA Trust"):
        band_history(observations({"AAA": [MONTH]}), "AAB Trust")
    with pytest.raises(InputError, match="Use a name or a code"):
        band_history(observations({"AAA": [MONTH]}), "zzz")


def test_a_provider_comes_before_an_icb_of_its_name():
    rows = pd.concat([observations({"AAA": [SHORT]}, level="icb"), observations({"AAA": [MONTH]})])
    assert band_history(rows, "AAA").total.tolist() == [130.0]


def test_the_latest_vintage_counts():
    first, later = observations({"AAA": [MONTH]}), observations({"AAA": [[*MONTH[:-1], 12.0]]})
    later["available"] += pd.Timedelta(days=30)
    assert band_history(pd.concat([later, first]), "AAA").total.tolist() == [140.0]


def test_bands_are_scaled_to_a_total_they_do_not_sum_to_and_it_is_said():
    history = band_history(observations({"AAA": [MONTH, MONTH]}, totals={"AAA": [130.0, 260.0]}), "AAA")
    assert history.bands[1].tolist() == [2 * each for each in MONTH]
    assert history.notes == (
        "Published waiting list, February 2023: the wait bands do not sum to the total and are scaled to it.",
    )


def test_what_was_not_submitted_is_missing_never_zero():
    none, zero = [np.nan] * 7, [0.0] * 7
    rows = observations(
        {"AAA": [zero, MONTH, none, MONTH, zero, MONTH, none]}, totals={"AAA": [50, 130, np.nan, 130, 0, 130, np.nan]}
    )
    history = band_history(rows, "AAA")
    assert [f"{month:%m}" for month in history.months] == ["02", "03", "04", "05", "06"]
    assert np.isnan(history.total).tolist() == [False, True, False, True, False]
    assert np.isnan(history.bands[:, 0]).tolist() == [False, True, False, True, False]
    assert "May 2023: a list of 0 right after a long one counts as not submitted" in " ".join(history.notes)
    with pytest.raises(InputError, match="AAA Trust: no month has children by wait band"):
        band_history(observations({"AAA": [none, none]}), "AAA")


@pytest.mark.parametrize(
    ("total", "marked"),
    [
        ([30, 0, 31], [False, True, False]),
        ([30, 0], [False, True]),
        ([30, 0, 0], [False, False, False]),
        ([19, 0, 20], [False, False, False]),
        ([0, 20, np.nan], [False, False, False]),
    ],
)
def test_sudden_zeros(total, marked):
    assert sudden_zeros(np.array(total, dtype=float)).tolist() == marked


def test_referrals_are_those_of_a_week_and_removals_balance_the_list():
    history = band_history(observations({"AAA": [MONTH, [14.0, *MONTH[1:]]]}), "AAA")
    proxy = referral_proxy(history)
    assert proxy.a_week.tolist() == pytest.approx([11.0, 15.4])
    assert proxy.monthly().tolist() == pytest.approx([11.0 * 31 / 7, 15.4 * 4])
    assert proxy.removals[1] == pytest.approx(130 + 15.4 * 4 - 134)
    assert np.isnan(proxy.removals[0])
    assert "modelled" in proxy.notes[0] and "1.1 times" in proxy.notes[0]


def test_a_list_that_grew_by_more_than_its_referrals_is_refused_by_name_and_month():
    grown = [10.0, 8.0, 20.0, 260.0, 20.0, 10.0, 2.0]
    with pytest.raises(InputError, match=r"AAA Trust: it grew by more than .* \(2023-02\)"):
        referral_proxy(band_history(observations({"AAA": [MONTH, grown, grown]}), "AAA"))


def test_bundled_lists_stockport_balances_and_some_are_refused():
    rows = reference.slt_waiting().observations
    stockport = band_history(rows, "Stockport NHS Foundation Trust")
    assert stockport.total.tolist() == [287, 286, 283, 308, 331, 331, 437, 444, 497]
    assert (referral_proxy(stockport).removals[1:] > 0).all()
    with pytest.raises(InputError, match="Wirral Community"):
        referral_proxy(band_history(rows, "RY7"))
