"""The simulated list on made-up published ones: right where growth goes on as assumed."""

import pytest

from experiments.waiting_list_flow import simulated
from forecast.speech_language.fit import GROWS_ON
from tests.speech_language.clinic import published


def rows(step: float) -> dict[str, list[float]]:
    lists = [[20.0, 20, 40, 120, 60, 40 + step * k, 0] for k in range(9)]
    made = simulated(published(lists))
    assert made[0][1:] == ["+1", "+2", "+3", "+4"]
    assert made[-1] == ["origins", "5", "4", "3", "2"]
    return {name: [float(cell) for cell in cells] for name, *cells in made[1:-1]}


def test_a_list_that_grows_on_is_told_best_with_all_of_its_growth() -> None:
    found = rows(10.0)
    whole, quarter, none = (found[f"{100 * share:.0f} % of its growth goes on"] for share in (1.0, GROWS_ON, 0.0))
    assert whole[3] < quarter[3] < none[3]
    assert none[3] == pytest.approx(found["naive"][3], abs=1.5)


def test_a_list_that_stays_is_told_well_by_all() -> None:
    assert all(cell < 2 for cells in rows(0.0).values() for cell in cells)
