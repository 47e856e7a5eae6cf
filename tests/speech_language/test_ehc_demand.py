"""EHC demand by the month, against sums done by hand on a projection with round figures."""

import numpy as np
import pandas as pd
import pytest

from forecast import SpecError
from forecast.calendar import working_days
from forecast.ehc.assumptions import Assumptions
from forecast.ehc.measures import CATEGORIES
from forecast.ehc.outputs import Projection
from forecast.reference import find_area
from forecast.speech_language.ehc_demand import ehc_demand
from tests.speech_language.clinic import norms

P = 4


def projection(*, agreed_2023: float | None = 240.0) -> Projection:
    """January 2024: 100 plans of SLCN and 60 of ASD; a year later 124 and 120. 10, 11, 12 ... assessments a month."""
    needs = CATEGORIES["caseload/need"]
    stock = np.zeros((P, 3, len(needs)))
    stock[:, :, needs.index("slcn")] = [100, 124, 124]
    stock[:, :, needs.index("asd")] = [60, 120, 120]
    stock[:, :, needs.index("semh")] = 500
    agreed = np.arange(10.0, 34.0) + np.arange(P)[:, None]
    years = [2022] if agreed_2023 is None else [2022, 2023]
    history = pd.DataFrame({"measure": "agreed", "by": "", "category": "", "year": years, "y": 240.0})
    return Projection(
        area=find_area("Stockport"),
        members=("E08000007",),
        last_flow=2023,
        until=2025,
        assumptions=Assumptions(),
        paths={"month:agreed": agreed, "caseload/need": stock, "caseload": stock.sum(axis=2)},
        history=history,
        notes=(),
    )


def test_advice_is_the_share_of_assessments_agreed_in_the_month() -> None:
    made = ehc_demand(projection(), months=pd.date_range("2024-01-01", periods=3, freq="MS"), norms=norms(ehc=True))
    assert made.advice == pytest.approx(0.8 * np.array([[10, 11, 12, 13], [11, 12, 13, 14], [12, 13, 14, 15]]))


def test_before_the_projection_the_published_year_is_spread_over_working_days() -> None:
    year = pd.date_range("2023-01-01", periods=12, freq="MS")
    made = ehc_demand(projection(), months=year, norms=norms(ehc=True))
    assert made.advice.sum(axis=0) == pytest.approx(0.8 * 240)
    assert made.advice[:, 0] / made.advice[0, 0] == pytest.approx(working_days(year) / working_days(year)[0])
    assert any("published figure of the year" in note for note in made.notes)


def test_plans_change_evenly_from_one_january_to_the_next() -> None:
    months = pd.date_range("2023-11-01", periods=14, freq="MS")
    made = ehc_demand(projection(), months=months, norms=norms(ehc=True))
    first, last = 0.9 * 100 + 0.5 * 60, 0.9 * 124 + 0.5 * 120
    expected = [first, first, *(first + (last - first) * np.arange(1, 13) / 12)]
    assert made.plans[:, 0] == pytest.approx(expected)
    assert made.contacts(norms(ehc=True))[:, 0] == pytest.approx(np.array(expected) * 6 / 12)


def test_a_projection_that_ends_first_is_refused() -> None:
    with pytest.raises(SpecError, match="projected to December 2025, the service to January 2026"):
        ehc_demand(projection(), months=pd.date_range("2025-12-01", periods=2, freq="MS"), norms=norms(ehc=True))


def test_a_year_that_is_not_published_is_refused() -> None:
    with pytest.raises(SpecError, match="decisions to assess in 2023 are not published"):
        ehc_demand(
            projection(agreed_2023=None),
            months=pd.date_range("2023-12-01", periods=2, freq="MS"),
            norms=norms(ehc=True),
        )
