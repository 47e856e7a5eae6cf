"""The made-up run, written and read once for all tests of the section."""

import pytest

from forecast.publish.run import read_run
from tests.publish.speech_language.frame import write_slt


@pytest.fixture(scope="session")
def slt_folder(tmp_path_factory):
    """Return a run folder that no test changes."""
    return write_slt(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="session")
def slt_run(slt_folder):
    """Return the run of that folder."""
    return read_run(slt_folder)


@pytest.fixture(scope="session")
def slt(slt_run):
    """Return its projection of speech and language."""
    return slt_run.speech_language


@pytest.fixture
def plain_charts(monkeypatch):
    """Leave the drawing out: a chart is its id."""
    drawn = "forecast.publish.speech_language.charts.picture"
    monkeypatch.setattr(drawn, lambda *_, chart_id, **__: chart_id)
