"""From the interventions of a config to the columns a model sees, and what is said of those without effect."""

from datetime import date

import numpy as np

from forecast import Panel
from jobs.config import Target, load_config
from jobs.inputs import PanelJob, panel_jobs, read_sources
from jobs.interventions import with_interventions
from tests.jobs.samples import JOB, SEN2_JOB, write_job, write_release
from tests.panels import growing, long

TODAY = date(2025, 3, 1)
HOLD = "{name: flood, kind: hold, start: 2022-02-14, end: 2022-03-31}"
STEP = "{name: new_duty, kind: step, start: 2022-09-01}"
LATER = "{name: later, kind: pulse, start: 2023-08-01}"


def jobs_of(folder, *interventions: str, job: str = JOB, model: str = "structural") -> list[PanelJob]:
    told = f"interventions: [{', '.join(interventions)}]\n    model: {model}"
    text = job.replace("model: auto", told).replace("[naive, drift]", "[naive, drift, structural]")
    config = load_config(write_job(folder, job=text), today=TODAY)
    return panel_jobs(config, read_sources(config))


def test_columns_cover_the_history_and_what_is_forecast(tmp_path):
    (job,) = jobs_of(tmp_path, HOLD, STEP)
    months = job.panel.dates.union(job.panel.future(3))
    assert list(job.panel.known) == ["hold:flood", "new_duty"]
    held = (months >= "2022-02-01") & (months <= "2022-03-01")
    for name, expected in (("hold:flood", held), ("new_duty", months >= "2022-09-01")):
        np.testing.assert_array_equal(job.panel.known[name], np.tile(expected.astype(float), (3, 1)))
    assert job.warnings == ()


def test_without_interventions_nothing_is_known(tmp_path):
    (job,) = jobs_of(tmp_path)
    assert (dict(job.panel.known), job.warnings) == ({}, ())


def test_what_changes_nothing_is_said(tmp_path):
    (job,) = jobs_of(tmp_path, LATER, HOLD.replace("2022", "2024"), STEP)
    assert job.warnings == (
        "target 'own': intervention 'later' (pulse from 2023-08-01) changes no figure of 2021-01 to 2023-06; "
        "its effect cannot be estimated and is not forecast",
        "target 'own': intervention 'flood' (hold from 2024-02-14) holds no figure of 2021-01 to 2023-06",
    )


def test_a_model_that_does_not_use_them_is_said(tmp_path):
    (job,) = jobs_of(tmp_path, STEP, model="drift")
    assert job.warnings == (
        "target 'own': model drift does not use its interventions; they change only what other candidates are worth",
    )


def test_a_flow_counts_days(tmp_path):
    write_release(tmp_path / "release")
    step = "{name: duty, kind: step, start: 2020-07-02}"
    for job in jobs_of(tmp_path, step, job=SEN2_JOB):
        column = dict(zip(job.panel.dates.year, job.panel.known["duty"][0], strict=False))
        assert (column[2019], column[2020], column[2021]) == (0, 0.5, 1)


def test_a_stock_counts_its_first_day():
    target = Target.model_validate(
        {
            "name": "ehc",
            "data": "ehc",
            "measures": ["caseload"],
            "areas": "all",
            "horizon": 2,
            "interventions": [{"name": "duty", "kind": "step", "start": "2012-07-02"}],
        }
    )
    panel = Panel.from_frame(long(growing(2, 5)), freq="YS")
    columns = [with_interventions(panel, target, "sen2_release", m).known["duty"][0] for m in ("caseload", "requests")]
    assert [column.tolist() for column in columns] == [[0, 0, 0, 1, 1, 1, 1], [0, 0, 0.5, 1, 1, 1, 1]]
