"""A projection adds up on every path, starts from what is known, and refuses what does not fit together."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast import InputError, SpecError
from forecast import speech_language as slt
from tests.speech_language.clinic import LIST, norms, published, referral_log, service


def project(**changed: object) -> slt.ServiceProjection:
    given: dict[str, object] = {
        "waiting": published(LIST),
        "provider": "RXX",
        "referrals": referral_log(),
        "months": 6,
        "n_paths": 20,
        "seed": 2,
        **changed,
    }
    asked = given.pop("service", None) or service()
    return slt.project(asked, **given)  # type: ignore[arg-type]


def total(made: slt.ServiceProjection, measure: str, option: str = "as_now") -> np.ndarray:
    return made.runs[option].total(measure)


@pytest.mark.parametrize("option", ["as_now", "more", "redesign", "lighter", "clear", "evenly"])
def test_in_less_out_is_the_change_of_the_list_on_every_path(made: slt.ServiceProjection, option: str) -> None:
    waiting = total(made, "waiting", option)
    before = np.vstack([np.full((1, 60), sum(LIST[-1])), waiting[:-1]])
    flows = [total(made, name, option) for name in ("referrals", "first_contacts", "left_list")]
    assert np.allclose(before + flows[0] - flows[1] - flows[2], waiting, atol=1e-9)


@pytest.mark.parametrize("measure", ["referrals", "waiting", "first_contacts", "over_52_weeks"])
@pytest.mark.parametrize("by", ["locality", "age_band", "tier"])
def test_parts_add_up_on_every_path(made: slt.ServiceProjection, measure: str, by: str) -> None:
    for option in made.runs:
        parts, _ = made.paths(measure, by=by, option=option)
        assert np.allclose(parts.sum(axis=0), total(made, measure, option))


def test_sources_wait_bands_and_work_add_up_on_every_path(made: slt.ServiceProjection) -> None:
    assert np.allclose(made.paths("referrals", by="source")[0].sum(axis=0), total(made, "referrals"))
    assert np.allclose(made.paths("waiting", by="wait_band")[0].sum(axis=0), total(made, "waiting"))
    assert np.allclose(made.paths("wte_needed", by="work")[0].sum(axis=0), total(made, "wte_needed"))
    assert np.allclose(total(made, "wte_needed") - total(made, "wte_in_post"), total(made, "wte_gap"))


def test_the_first_month_follows_the_last_published_list(made: slt.ServiceProjection) -> None:
    assert made.months[0] == pd.Timestamp("2023-10-01")
    assert made.start.opening.sum() == pytest.approx(sum(LIST[-1]))
    read = made.start.service.bands.read(made.start.opening.sum(axis=0))
    assert read == pytest.approx(LIST[-1])


def test_universal_children_are_seen_at_once(made: slt.ServiceProjection) -> None:
    where = made.paths("first_contacts", by="tier")[1].index("universal")
    seen, referred = (made.paths(name, by="tier")[0][where] for name in ("first_contacts", "referrals"))
    assert np.allclose(seen, referred)
    assert "universal" not in made.paths("waiting", by="tier")[1]


def test_a_month_with_an_unknown_count_is_not_fitted_to(made: slt.ServiceProjection) -> None:
    log = referral_log()
    rows = log.index[log["ds"].eq("2022-03-01") & log["tier"].eq("specialist")]
    log.loc[rows[0], "y"] = np.nan
    assert project(referrals=log).fit.observed == pytest.approx(project().fit.observed)


def test_a_combination_without_referrals_in_a_log_that_goes_on_has_none() -> None:
    log = referral_log(last="2023-12-01")
    log = log[~(log["locality"].eq("North") & log["tier"].eq("targeted"))]
    made = project(referrals=log)
    frame = made.start.cells.frame
    assert not made.start.referrals[frame["locality"].eq("North") & frame["tier"].eq("targeted")].any()


def test_no_period_is_both_counted_and_projected() -> None:
    table = project(referrals=referral_log(last="2023-12-01")).table()
    keys = ["option", "measure", "by", "category", "freq", "ds"]
    assert not table.duplicated(keys).any()


def test_a_log_that_covers_all_months_is_taken_as_it_is() -> None:
    made = project(referrals=referral_log(last="2024-06-01"))
    assert total(made, "referrals").std(axis=1).max() == 0


def test_counts_that_came_later_are_not_read() -> None:
    log = referral_log(last="2023-12-01")
    late = log.assign(available=log["ds"] + pd.offsets.MonthEnd())
    made = project(referrals=late, as_of="2023-12-15")
    assert total(made, "referrals")[1].std() == 0
    assert total(made, "referrals")[2].std() > 0


def test_a_log_tells_where_it_comes_from() -> None:
    assert project(referrals=referral_log().assign(provenance="synthetic")).provenance == "synthetic"
    assert project().provenance == "local"


def test_the_same_seed_gives_the_same_table() -> None:
    one, other, third = project(), project(), project(seed=3)
    pd.testing.assert_frame_equal(one.table(), other.table())
    assert not one.table()["mean"].equals(third.table()["mean"])


def test_counted_referrals_take_the_place_of_forecasts_where_the_log_goes_on() -> None:
    log = referral_log(last="2023-12-01")
    made = project(referrals=log)
    counted = log[log["ds"].ge("2023-10-01")].groupby("ds")["y"].sum()
    assert np.allclose(total(made, "referrals")[:3], counted.to_numpy()[:, None])
    assert total(made, "referrals")[3].std() > 0
    by_source = made.paths("referrals", by="source")[0]
    assert np.allclose(by_source.sum(axis=0)[:3], counted.to_numpy()[:, None])


def test_a_log_that_ends_early_is_forecast_over_the_gap() -> None:
    made = project(referrals=referral_log(last="2023-07-01"))
    assert made.months[0] == pd.Timestamp("2023-10-01")
    assert total(made, "referrals").shape == (6, 20)


def test_without_a_log_the_published_proxy_is_used() -> None:
    made = project(referrals=None, service=service(seen_at_once=(), norms=norms(**ONE_TIER)))
    assert made.is_proxy
    assert made.provenance == "published"
    weeks = pd.Timestamp("2023-09-01").days_in_month / 7
    last = made.history[made.history["measure"].eq("referrals")].iloc[-1]
    assert last["y"] == pytest.approx(1.1 * LIST[-1][0] * weeks)
    assert any("1.1 times" in note for note in made.notes)


ONE_TIER = {
    name: {"all": value}
    for name, value in {
        "first_contact_hours": 3.0,
        "treated_share": 0.5,
        "episode_weeks": 20.0,
        "contacts_per_episode": 6.0,
    }.items()
}


def test_nothing_published_after_the_day_is_read() -> None:
    made = project(as_of="2023-11-01")
    assert made.months[0] == pd.Timestamp("2023-09-01")


LATE = slt.Option(name="late", title="Late", wte=(slt.StaffChange(date(2030, 1, 1), 1.0),))
EARLY = slt.Option(
    name="early",
    title="Early",
    tiers=(slt.TierMove(from_tier="specialist", to_tier="targeted", share=0.5, start=date(2023, 9, 1)),),
)
CUT = slt.Option(name="cut", title="Cut", wte=(slt.StaffChange(date(2024, 1, 1), -99.0),))


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"months": 0}, SpecError, "months 0: at least 1"),
        ({"as_of": "rubbish"}, SpecError, "as_of 'rubbish': not a day"),
        ({"as_of": "2020-01-01"}, InputError, "none was published by 2020-01-01"),
        ({"provenance": {"waiting": "private"}}, SpecError, "provenance 'private'"),
        ({"referrals": referral_log().drop(columns="tier")}, InputError, "referral log: no column tier"),
        ({"referrals": referral_log().iloc[:0]}, InputError, "referral log: no row"),
        ({"referrals": pd.concat([referral_log()] * 2)}, InputError, "stands twice in"),
        ({"referrals": referral_log().assign(y=-1.0)}, InputError, "a count of -1"),
        (
            {"referrals": referral_log().assign(ds=lambda rows: rows["ds"] + pd.Timedelta(days=14))},
            InputError,
            "is not the first of a month",
        ),
        (
            {"service": service(options=(LATE,))},
            SpecError,
            "option 'late': it starts on 2030-01-01",
        ),
        ({"service": service(options=(EARLY,))}, SpecError, "option 'early': move from specialist to targeted starts"),
        ({"provider": "RYY"}, InputError, "no such organisation"),
        ({"service": service(seen_at_once=("special",))}, SpecError, "seen_at_once 'special': not a tier"),
        ({"service": service(in_treatment={"targeted": 3.0})}, SpecError, "in_treatment: 'specialist' has no figure"),
        ({"service": service(staff=(slt.StaffStep(date(2025, 1, 1), 9.0),))}, SpecError, "are not known"),
        (
            {"service": service(capacity=(slt.CapacityStep(start=date(2024, 5, 1), a_week=5),))},
            SpecError,
            "capacity: first contacts a week on 2023-10-05",
        ),
        ({"service": service(options=(CUT,))}, SpecError, "less than none"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        project(**changed)


def test_a_row_says_what_it_rests_on(made: slt.ServiceProjection) -> None:
    table = made.table()
    ahead = table["status"].eq("projected")
    assert set(table.loc[ahead, "provenance"]) == {"synthetic"}
    assert set(table.loc[~ahead & table["measure"].eq("referrals"), "provenance"]) == {"synthetic"}
    assert set(table.loc[~ahead & ~table["measure"].eq("referrals"), "provenance"]) == {"published"}
    read_off = table["measure"].isin(["median_wait", "p92_wait"])
    assert set(table.loc[~ahead & read_off, "status"]) == {"modelled"}
    assert set(table.loc[~ahead & ~read_off, "status"]) == {"outturn"}


def test_a_redesign_can_send_children_where_there_were_none() -> None:
    log = referral_log()
    log = log[~(log["locality"].eq("North") & log["tier"].eq("targeted"))]
    move = slt.TierMove(from_tier="specialist", to_tier="targeted", share=0.5, start=date(2023, 10, 1))
    made = project(referrals=log, service=service(options=(slt.Option(name="new", title="New", tiers=(move,)),)))
    locality, tiers = (made.start.cells.frame[key] for key in ("locality", "tier"))
    north = locality.eq("North") & tiers.eq("targeted")
    assert not made.start.referrals[north].any()
    assert total(made, "referrals", "new") == pytest.approx(total(made, "referrals"))
    targeted = made.paths("referrals", by="tier", option="new")
    before = made.paths("referrals", by="tier")
    at = targeted[1].index("targeted")
    assert (targeted[0][at] > before[0][at]).all()
