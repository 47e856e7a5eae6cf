"""What was counted, in the measures of a projection."""

import numpy as np
import pandas as pd
import pytest

from forecast.speech_language import WaitBands
from forecast.speech_language.history import counted_list, counted_referrals
from forecast.speech_language.proxy import band_history
from tests.speech_language.clinic import LIST, published, referral_log, service


def test_referrals_are_summed_by_every_key_with_several_values() -> None:
    log = referral_log()
    made = counted_referrals(log)
    assert set(made["by"]) == {"", "locality", "age_band", "tier", "source"}
    for by in set(made["by"]):
        assert made.loc[made["by"].eq(by), "y"].sum() == log["y"].sum()


def test_a_month_with_a_count_that_is_not_known_has_no_total() -> None:
    log = referral_log()
    log.loc[log["ds"].eq("2023-05-01") & log["locality"].eq("North") & log["tier"].eq("universal"), "y"] = np.nan
    made = counted_referrals(log)
    whole = made[made["by"].eq("")]
    assert pd.Timestamp("2023-05-01") not in set(whole["ds"])
    north = made[made["by"].eq("locality") & made["ds"].eq("2023-05-01")]["category"]
    assert north.tolist() == ["South"]


def test_the_published_list_is_told_by_the_bands_of_the_service() -> None:
    made = counted_list(band_history(published(LIST), "RXX"), service(bands=WaitBands((18,))))
    last = made[made["ds"].eq("2023-09-01")].set_index(["measure", "category"])["y"]
    assert last["waiting", "0-18"] == pytest.approx(sum(LIST[-1][:5]))
    assert last["waiting", "18+"] == pytest.approx(sum(LIST[-1][5:]))
    assert last["over_52_weeks", ""] == pytest.approx(5.0)


def test_waits_are_read_within_the_bands() -> None:
    made = counted_list(band_history(published([[0, 0, 0, 100.0, 0, 0, 0]] * 3), "RXX"), service())
    last = made[made["ds"].eq("2023-09-01")].set_index("measure")["y"]
    assert last["median_wait"] == pytest.approx(8.0)  # halfway from 4 to 12 weeks
    assert last["p92_wait"] == pytest.approx(4 + 0.92 * 8)
    assert last["within_target"] == pytest.approx(100.0)
