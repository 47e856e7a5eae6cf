"""Figures of all areas are laid out without look-ahead, and what must not be used is missing."""

import numpy as np
import pandas as pd
import pytest

from forecast import reference
from forecast.ehc.figures import ENGLAND, Figures
from forecast.errors import InputError
from forecast.sources.observations import Reading

STOCKPORT, LEICESTER, SHEFFIELD = "E08000007", "E06000016", "E08000019"


@pytest.fixture(scope="module")
def figures():
    return Figures.bundled()


def test_published_figures(figures):
    assert figures.last_flow == 2023
    assert figures.of("requests").loc[STOCKPORT].tolist() == [286, 247, 337, 362, 329, 512, 705, 790]
    assert figures.of("caseload").loc[STOCKPORT, [2014, 2023, 2024]].tolist() == [1453, 2827, 3115]
    assert figures.national["requests"][2023] == 138_242
    assert figures.by_age("requests").loc[STOCKPORT, "10"] == 97
    assert figures.national_by_age("requests")["3"] == 18_268


def test_areas_are_todays_local_authorities(figures):
    names = {area.name for area in figures.areas}
    assert {"Stockport", "Cumberland"} <= names
    assert not {"Cumbria", "England", "North West"} & names
    assert figures.codes == tuple(sorted(figures.codes))
    assert figures.codes[figures.row(STOCKPORT)] == STOCKPORT


def test_missing_is_never_zero(figures):
    assert np.isnan(figures.of("requests").loc[LEICESTER, 2023])
    assert figures.last("requests", LEICESTER) == figures.of("requests").loc[LEICESTER, 2022]
    assert np.isnan(figures.of("new_plans").loc[SHEFFIELD, 2022])
    assert figures.of("never_published").shape == (len(figures.areas), 0)
    assert np.isnan(figures.last("never_published", LEICESTER))
    assert figures.line("never_published", LEICESTER).empty


def test_lines_of_regions_and_england(figures):
    assert figures.line("caseload", ENGLAND)[2024] == 576_474
    assert figures.line("caseload", "E12000002")[2024] > figures.line("caseload", STOCKPORT)[2024]


def test_until_leaves_out_what_came_later(figures):
    earlier = figures.until(2020)
    assert earlier.of("requests").columns.max() == 2020
    assert earlier.of("caseload").columns.max() == 2021
    assert earlier.national["requests"].index.max() == 2020
    assert earlier.pupils.columns.max() == 2021
    dated = earlier.breakdowns[~earlier.breakdowns["measure"].str.startswith("need_share")]
    assert dated["ds"].dt.year.max() == 2021
    assert set(earlier.breakdowns["measure"]) >= {"need_share"}


def test_as_of_leaves_out_what_was_not_published(figures):
    earlier = Figures.bundled(as_of="2023-12-31")
    assert earlier.last_flow == 2022
    assert earlier.of("caseload").columns.max() == 2023
    assert earlier.of("requests").loc[STOCKPORT, 2022] == 705


def test_without_requests_or_caseload_there_is_nothing_to_start_from():
    reading = reference.ehc()
    rows = reading.observations
    for measure in ("requests", "caseload"):
        with pytest.raises(InputError, match=rf"no {measure} of local authorities"):
            Figures.of_reading(
                Reading(rows[rows["measure"].ne(measure)], ()),
                breakdowns=reference.ehc_breakdowns(),
                pupils=pd.DataFrame({"area_code": [], "year": [], "percent": []}),
            )
