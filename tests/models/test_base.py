"""The registry: models are found by name, and a wrong name is told the right ones."""

import pkgutil

import pytest

import forecast.models
from forecast import SpecError, models
from forecast.engine.batch import described
from forecast.models.base import Capability, Model
from forecast.models.specs import by_name, members_of, spec_name, to_run

KNOWN = ("area_growth", "arima", "drift", "ets", "naive", "prophet", "seasonal_naive", "theta")
SHARED = {"base", "compiled", "history", "known", "seasons", "specs"}


def test_names_are_the_files_of_the_folder():
    files = {module.name for module in pkgutil.iter_modules(forecast.models.__path__)}
    assert set(models.names()) == (files - SHARED) | set(described())
    assert set(KNOWN) <= set(models.names())
    assert list(models.names()) == sorted(models.names())


@pytest.mark.parametrize("name", KNOWN)
def test_get_gives_the_model_of_that_name(name):
    model = models.get(name)
    assert model.name == name
    assert isinstance(model, Model)
    assert model == models.get(name)


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(SpecError, match=r"model 'tehta': not known \(did you mean theta\?\)") as caught:
        models.get("tehta")
    assert all(name in str(caught.value) for name in KNOWN)
    with pytest.raises(SpecError, match="model 'xyz': not known; the known ones are adida, ar_differences"):
        models.get("xyz")


def test_whole_seasons_are_needed_only_where_there_is_a_season():
    capability = Capability(min_history=3, min_cycles=2)
    assert [capability.needed(period) for period in (1, 4, 12)] == [3, 8, 24]
    assert Capability(min_history=6).needed(12) == 6


class Named:
    name = "mine"
    capability = Capability(min_history=1)

    def forecast(self, window, horizon):
        raise NotImplementedError


def project(panel, horizon):
    raise NotImplementedError


def test_names_of_specifications():
    assert spec_name("theta") == "theta"
    assert spec_name(Named()) == "mine"
    assert spec_name(["theta", Named()]) == "theta+mine"
    assert spec_name(project) == "project"
    assert spec_name(3) == "int"


def test_two_of_one_name_are_refused():
    with pytest.raises(SpecError, match="model 'theta': given twice"):
        by_name(["theta", "naive", "theta"])
    with pytest.raises(SpecError, match="model 'mine': two different models have this name"):
        to_run([{"mine": Named()}, {"mine": Named()}], besides=[])


def test_members():
    mine = Named()
    assert members_of("mine", mine, ()) == {"mine": mine}
    assert members_of("other", mine, ()) == {"other": mine}
    assert list(members_of("pair", ["theta", mine], ())) == ["theta", "mine"]
    assert list(members_of("auto", "auto", ("naive", "drift"))) == ["naive", "drift"]


@pytest.mark.parametrize("spec", [3, None, Named, ["theta", 3]])
def test_what_is_no_model_is_refused(spec):
    with pytest.raises(SpecError, match="a name, a model or a list of them is needed"):
        members_of("x", spec, ())


def test_an_empty_list_is_refused():
    with pytest.raises(SpecError, match="a list of models needs at least one"):
        members_of("", [], ())


def test_a_model_given_by_hand_is_run_instead_of_the_registered_one_of_its_name():
    drift = Named()
    assert to_run([{"drift": drift}], besides=["drift", "naive"]) == {"drift": drift, "naive": models.get("naive")}
