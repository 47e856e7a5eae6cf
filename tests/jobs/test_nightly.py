"""The nightly job: which panels a config makes, which models run where, what a run leaves, what is recorded when."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast import models, reference
from forecast.auto import default_members
from forecast.errors import InputError, SpecError
from forecast.sources.observations import Reading
from jobs import nightly, record, steps
from jobs.config import RunConfig, load_config
from jobs.inputs import PanelJob, panel_jobs, read_sources
from jobs.results import latest_run, manifests
from jobs.steps import candidate_names, worker_pool
from jobs.tracking import TrackingResult
from tests.jobs.samples import (
    JOB,
    LOCALITIES,
    SEN2_JOB,
    forecast,
    plain_charts,
    referrals,
    standing_release,
    whole_runs,
    write_job,
    write_release,
)

NOW = datetime(2024, 7, 2, 1, 0).astimezone()
TODAY = date(2024, 12, 31)
BUNDLED = SEN2_JOB.replace("path: release", "path: bundled").replace("[Alder, North, England]", "[Stockport]")


def _load(folder: Path, job: str = JOB) -> RunConfig:
    return load_config(write_job(folder, job=job), today=TODAY)


def _jobs(config: RunConfig) -> list[PanelJob]:
    return panel_jobs(config, read_sources(config))


def _sen2(folder: Path, old: str = "", new: str = "") -> RunConfig:
    assert old in SEN2_JOB
    write_release(folder / "release")
    return _load(folder, SEN2_JOB.replace(old, new))


# Which panels a config makes


def test_each_level_of_a_measure_is_a_panel_of_its_own(tmp_path: Path) -> None:
    made = {job.geographic_level: job for job in _jobs(_sen2(tmp_path))}
    assert {level: job.panel.ids for level, job in made.items()} == {
        "local_authority": ("requests/E06000091", "requests/E06000092", "requests/E06000093"),
        "region": ("requests/E12000001", "requests/E12000002"),
        "national": ("requests/E92000001",),
    }
    assert [job.on_page for job in made.values()] == [("E06000091",), ("E12000001",), ("E92000001",)]
    assert made["local_authority"].areas.loc["E06000091", "area_name"] == "Alder"


def test_totals_are_given_the_panel_of_their_areas(tmp_path: Path) -> None:
    made = {job.geographic_level: job for job in _jobs(_sen2(tmp_path))}
    bottom = made["local_authority"]
    assert bottom.parts is None
    for level in ("region", "national"):
        parts = made[level].parts
        assert parts is not None
        assert parts.ids == bottom.panel.ids


def test_pool_areas_keeps_the_others_out(tmp_path: Path) -> None:
    made = _jobs(_sen2(tmp_path, "horizon: 2", "pool: areas\n    horizon: 2"))
    assert [job.panel.ids for job in made] == [
        ("requests/E06000091",),
        ("requests/E12000001",),
        ("requests/E92000001",),
    ]
    assert all(job.parts is None for job in made)


def test_all_areas_come_bottom_level_first(tmp_path: Path) -> None:
    made = _jobs(_sen2(tmp_path, "[Alder, North, England]", "all"))
    assert [job.geographic_level for job in made] == ["local_authority", "region", "national"]
    assert made[0].on_page == ("E06000091", "E06000092", "E06000093")
    assert made[0].neighbours == ()


@pytest.mark.parametrize("written", ["E08000007", "Stockport", "stockport", '"356"', "STOCKPORT"])
def test_an_area_may_be_written_in_many_ways_and_has_its_neighbours(tmp_path: Path, written: str) -> None:
    (made,) = _jobs(_load(tmp_path, BUNDLED.replace("[Stockport]", f"[{written}]")))
    assert made.on_page == ("E08000007",)
    assert set(made.neighbours) == set(reference.neighbours("Stockport"))
    assert len(made.neighbours) == 10
    assert set(made.neighbours) <= set(made.areas.index)
    assert len(made.panel.ids) > 140


def test_an_area_that_was_abolished_is_forecast_as_of_its_days_only(tmp_path: Path) -> None:
    job = BUNDLED.replace("[Stockport]", "[Cumbria]")
    config = load_config(write_job(tmp_path, job=job), as_of=date(2022, 7, 1), today=TODAY)
    (made,) = _jobs(config)
    assert made.on_page == ("E10000006",)
    assert made.neighbours == ()
    with pytest.raises(InputError, match=r"area 'Cumbria' has no figures in data 'ehc' visible on 2024-07-01"):
        _jobs(_load(tmp_path, job))


def test_an_area_of_another_source_is_not_among_these(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"'Stockprt' is not an area of its data; the nearest are Stockport"):
        _jobs(_load(tmp_path, BUNDLED.replace("[Stockport]", "[Stockprt]")))
    with pytest.raises(InputError, match="area 'Leeds' has no figures"):
        _jobs(_load(tmp_path, JOB.replace("areas: all", "areas: [Leeds]")))


def test_a_measure_that_is_not_visible_yet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no figures of 'caseload' visible on 2024-07-01 \(it has decided_to"):
        _jobs(_sen2(tmp_path, "[requests]", "[caseload]"))


def test_a_local_series_may_have_the_gaps_that_are_allowed(tmp_path: Path) -> None:
    lines = [
        line
        for line in referrals().splitlines()
        if not line.startswith(("2022-02-01,Marple", "2022-04-01,Marple", "2022-05-01,Marple"))
    ]
    table = "\n".join(lines) + "\n"
    config = load_config(write_job(tmp_path, job=JOB.replace("max_gap: 0", "max_gap: 2"), table=table), today=TODAY)
    assert len(_jobs(config)[0].panel.ids) == 3
    config = load_config(write_job(tmp_path, job=JOB.replace("max_gap: 0", "max_gap: 1"), table=table), today=TODAY)
    with pytest.raises(
        InputError,
        match=r"series 'slt_referrals/Marple': 2 months missing in a row \(2022-04\.\.2022-05\); 1 allowed\. "
        r"Fill them or set max_gap: 2 under data in job\.yaml\.",
    ):
        _jobs(config)


@pytest.mark.parametrize(
    ("freq", "days", "missing", "long", "told"),
    [
        (
            "MS",
            pd.date_range("2022-01-01", periods=24, freq="MS"),
            ["2022-12-01", "2023-01-01"],
            "2 months",
            "2022-12..2023-01",
        ),
        ("MS", pd.date_range("2022-01-01", periods=24, freq="MS"), ["2022-12-01"], "1 month", "2022-12"),
        (
            "W-MON",
            pd.date_range("2023-01-02", periods=60, freq="W-MON"),
            ["2023-02-06", "2023-02-13"],
            "2 weeks",
            "2023-02-06..2023-02-13",
        ),
    ],
)
def test_a_gap_is_named_so_that_it_can_be_found(
    tmp_path: Path, freq: str, days: pd.DatetimeIndex, missing: list[str], long: str, told: str
) -> None:
    rows = [f"{day:%Y-%m-%d},A,5" for day in days if f"{day:%Y-%m-%d}" not in missing]
    table = "\n".join(["Month,Locality,Referrals", *rows]) + "\n"
    config = load_config(write_job(tmp_path, job=JOB.replace("freq: MS", f"freq: {freq}"), table=table), today=TODAY)
    with pytest.raises(InputError, match=rf"{long} missing( in a row)? \({re.escape(told)}\); 0 allowed"):
        _jobs(config)


def test_a_measure_that_the_areas_shown_have_no_figures_of_is_refused(tmp_path: Path) -> None:
    config = _load(tmp_path, BUNDLED.replace("[requests]", "[requests, caseload]"))
    (read,) = read_sources(config).values()
    here = read.observations
    none = here[~(here["measure"].eq("caseload") & here["area_name"].eq("Stockport"))]
    with pytest.raises(
        InputError, match=r"none of the 0 figures of 'caseload' in data 'ehc' for its areas can be used\. "
    ):
        panel_jobs(config, {"ehc": Reading(none, read.sources)})


def test_a_gap_longer_than_any_allowed_can_only_be_filled(tmp_path: Path) -> None:
    rows = [f"{day:%Y-%m-%d},A,5" for day in pd.date_range("2020-01-01", "2022-12-01", freq="MS")[[0, 1, -2, -1]]]
    table = "\n".join(["Month,Locality,Referrals", *rows]) + "\n"
    config = load_config(write_job(tmp_path, table=table), today=TODAY)
    with pytest.raises(
        InputError, match=r"32 months missing in a row \(2020-03\.\.2022-10\); 0 allowed\. Fill them\.$"
    ):
        _jobs(config)


def test_a_table_says_whose_it_is(tmp_path: Path) -> None:
    said = "title: Open referrals\n    publisher: Example Council\n    licence: OGL v3.0"
    job = JOB.replace("provenance: synthetic", f"provenance: published\n    {said}")
    (note,) = read_sources(_load(tmp_path, job))["own"].sources
    assert (note.title, note.publisher, note.licence) == ("Open referrals", "Example Council", "OGL v3.0")
    (unsaid,) = read_sources(_load(tmp_path / "other"))["own"].sources
    assert (unsaid.title, unsaid.publisher, unsaid.licence) == ("referrals.csv", "", "not stated")


# Which models run where


def test_candidates_are_run_with_the_chosen_model_and_the_simple_rules(tmp_path: Path) -> None:
    target = _load(tmp_path, JOB.replace("[naive, drift]", "[theta, ets, prophet]")).targets[0]
    assert candidate_names(target) == ["theta", "ets", "prophet", "auto", "drift", "naive"]


def test_auto_combines_the_members_of_the_library_whatever_the_candidates(tmp_path: Path) -> None:
    for job, period in ((JOB, 12), (SEN2_JOB, 1)):
        write_release(tmp_path / str(period) / "release")
        config = _load(tmp_path / str(period), job)
        for panel_job in _jobs(config):
            done = steps.evaluate(panel_job, config, None)
            assert done.study.combinations["auto"].members == default_members(period)
            assert set(done.cells["model"]) == {"auto", "naive", "drift"}


def test_auto_of_totals_asks_the_areas_as_the_candidate_of_that_name_does(tmp_path: Path) -> None:
    config = _sen2(tmp_path, "[naive, drift]", "[naive, area_growth]")
    national = next(job for job in _jobs(config) if job.geographic_level == "national")
    study = steps.evaluate(national, config, None).study
    asked = study.rolling.points["area_growth"]
    alone = models.get("area_growth").forecast(national.panel.window(), 2)
    assert not np.array_equal(asked[-1], alone)


@pytest.mark.parametrize(("scope", "expected"), [("neighbours", 11), ("all", 153)])
def test_a_slow_model_is_run_for_the_page_and_its_neighbours_or_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str, expected: int
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(steps, "study_panel", lambda panel, specs, **options: asked.update(options) or _NoStudy())
    text = BUNDLED.replace("[naive, drift]", "[naive, theta]") + "publish: {after_run: false}\n"
    config = _load(tmp_path, text.replace("horizon: 2", f"slow_scope: {scope}\n    horizon: 2"))
    (job,) = _jobs(config)
    steps.evaluate(job, config, None)
    assert len(asked["scope"].get("theta", job.panel.ids)) == expected
    assert "naive" not in asked["scope"]


class _NoStudy:
    def cells(self, *_: object, **__: object) -> pd.DataFrame:
        return pd.DataFrame()


def test_workers_are_started_when_there_is_enough_slow_work(tmp_path: Path) -> None:
    few = _jobs(_load(tmp_path, BUNDLED.replace("[naive, drift]", "[naive, theta]")))
    every = _jobs(_load(tmp_path, BUNDLED.replace("[naive, drift]", "[naive, theta]").replace("[Stockport]", "all")))
    assert len(every[0].panel.ids) == 153
    for jobs, workers, started in ((few, 2, False), (every, 2, True), (every, 1, False)):
        with worker_pool(jobs, workers) as pool:
            assert (pool is not None) == started
            assert pool is None or pool.submit(abs, -1).result() == 1


def test_panels_run_side_by_side_give_the_same_in_the_same_order(tmp_path: Path) -> None:
    config = _sen2(tmp_path, "[naive, drift]", "[naive, drift, theta]")
    jobs = _jobs(config)
    alone = steps.evaluate_all(jobs, config, None)
    with ThreadPoolExecutor(2) as executor:
        together = steps.evaluate_all(jobs, config, executor)
    assert [done.job.geographic_level for done in together] == ["local_authority", "region", "national"]
    for one, other in zip(alone, together, strict=True):
        assert len(one.cells) > 0
        pd.testing.assert_frame_equal(one.cells, other.cells)


def test_a_threshold_counts_for_areas_and_not_for_their_totals(tmp_path: Path) -> None:
    config = _sen2(tmp_path, "horizon: 2", "thresholds: {requests: 250}\n    horizon: 2")
    done, _, _ = nightly.run(config, now=NOW, progress=print, workers=1)
    table = pd.read_parquet(done.folder / "forecasts.parquet")
    bottom = table["geographic_level"].eq("local_authority")
    assert table.loc[bottom, "threshold"].eq(250).all()
    assert table.loc[bottom, "prob_above"].between(0, 1).all()
    assert table.loc[~bottom, ["threshold", "prob_above"]].isna().all(axis=None)
    alder = table[table["area_name"].eq("Alder")]
    assert alder["on_page"].all()
    assert table["on_page"].sum() == 3 * 2
    assert alder["horizon"].tolist() == [1, 2]
    assert alder["ds"].dt.year.tolist() == [2024, 2025]
    assert alder["origin"].dt.year.unique().tolist() == [2023]


# What a run leaves


def _reading(config: RunConfig) -> Reading:
    (reading,) = read_sources(config).values()
    return reading


def _changed(reading: Reading, **columns: object) -> Reading:
    return replace(reading, observations=reading.observations.assign(**columns))


def test_the_digest_is_of_the_figures_whatever_their_order_and_release(tmp_path: Path) -> None:
    reading = _reading(_load(tmp_path))
    whole = record.data_digest({"own": reading})
    turned = replace(reading, observations=reading.observations.iloc[::-1].reset_index(drop=True))
    assert record.data_digest({"own": turned}) == whole
    assert record.data_digest({"own": _changed(reading, source="another.csv")}) == whole
    y = reading.observations["y"].to_numpy(copy=True)
    y[7] += 1
    other = [
        {"own": _changed(reading, y=y)},
        {"own": _changed(reading, reason="c")},
        {"own": _changed(reading, provenance="local")},
        {"other": reading},
        {"own": replace(reading, observations=reading.observations.iloc[1:])},
    ]
    digests = [record.data_digest(each) for each in other]
    assert len({whole, *digests}) == 6


def test_the_run_id_is_of_figures_config_and_version_and_not_of_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _load(tmp_path)
    readings = read_sources(config)
    first = record.run_id_of(config, readings)
    assert first.startswith("tiny-")
    later = load_config(config.file, as_of=date(2024, 8, 1), today=TODAY)
    assert record.run_id_of(later, readings) == first
    assert record.run_id_of(config.with_output(tmp_path / "elsewhere"), readings) == first
    assert record.run_id_of(_load(tmp_path, JOB + "seed: 2\n"), readings) != first
    monkeypatch.setattr(record, "__version__", "99.0")
    assert record.run_id_of(config, readings) != first


def test_a_run_folder_says_how_it_was_made(tmp_path: Path) -> None:
    config = _load(tmp_path)
    done, tracking, release = nightly.run(config, now=NOW, progress=print, workers=1)
    assert (tracking, release, done.new, done.status) == ("off", None, True, "ok")
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name for path in done.folder.iterdir()} == {*manifest["files"], "manifest.json"}
    assert manifest["created"] == NOW.isoformat(timespec="seconds")
    assert (manifest["as_of"], manifest["provenance"], manifest["status"]) == ("2024-07-01", ["synthetic"], "ok")
    assert [source["id"] for source in manifest["sources"]] == ["referrals.csv"]
    assert [area["area_name"] for area in manifest["targets"][0]["areas"]] == list(LOCALITIES)
    assert str(tmp_path) not in json.dumps(manifest)
    assert set(manifest["steps"]) == {"read", "check", "evaluate", "forecast"}
    table = pd.read_parquet(done.folder / "forecasts.parquet")
    ends = table[["lo-95", "lo-80", "median", "hi-80", "hi-95"]].to_numpy()
    assert (np.diff(ends, axis=1) >= 0).all()
    assert (ends >= 0).all()
    assert whole_runs(config.runs_dir).keys() == {done.run_id}


def test_the_same_figures_give_the_same_forecasts(tmp_path: Path) -> None:
    folders = [nightly.run(_load(tmp_path / name), now=NOW, progress=print)[0].folder for name in ("one", "two")]
    one, two = ((folder / "forecasts.parquet").read_bytes() for folder in folders)
    assert one == two


def test_the_latest_run_is_the_last_made_even_within_a_second(tmp_path: Path) -> None:
    config = _load(tmp_path)
    for months in (30, 28, 29, 27):
        (tmp_path / "referrals.csv").write_text(referrals(months), encoding="utf-8")
        done, _, _ = nightly.run(config, now=NOW, progress=print)
        assert latest_run(config.runs_dir, name="tiny")["run_id"] == done.run_id
    assert len(manifests(config.runs_dir)) == 4


def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    config = _load(tmp_path)
    left = config.runs_dir / ".staging-tiny-0"
    left.mkdir(parents=True)
    done, _, _ = nightly.run(config, now=NOW, progress=print)
    assert sorted(path.name for path in config.runs_dir.iterdir() if path.is_dir()) == [done.run_id]


# What is recorded when


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands for MLflow: answers what `status` says, and remembers what it was asked."""
    state: dict[str, Any] = {"status": "recorded", "asked": []}

    @contextmanager
    def prepare(uri: str) -> Iterator[str]:
        yield f"recorder of {uri}"

    def track(folder: Path, **options: Any) -> TrackingResult:
        state["asked"].append({"folder": folder, **options})
        if state["status"] == "unreachable":
            options["warn"]("MLflow did not answer")
        return TrackingResult(state["status"], "", None, 0.1)

    monkeypatch.setattr(nightly, "prepare", prepare)
    monkeypatch.setattr(nightly, "track", track)
    return state


def _tracked(folder: Path) -> RunConfig:
    return _load(folder, JOB.replace("tracking: {enabled: false}", "tracking: {enabled: true, timeout: 3}"))


def test_a_run_is_recorded_once(tmp_path: Path, mlflow: dict[str, Any]) -> None:
    config = _tracked(tmp_path)
    said: list[str] = []
    done, tracking, _ = nightly.run(config, now=NOW, progress=said.append)
    assert tracking == "recorded"
    (asked,) = mlflow["asked"]
    assert asked["folder"] == done.folder
    assert asked["recorder"] == f"recorder of sqlite:///{(tmp_path / 'mlflow.db').as_posix()}"
    assert (asked["experiment"], asked["timeout"], asked["artifacts"]) == ("tiny", 3, tmp_path / "mlartifacts")
    assert "track: recorded in 0 s" in said
    again, tracking, _ = nightly.run(config, now=NOW, progress=said.append)
    assert (again.new, tracking) == (False, "skipped")
    assert len(mlflow["asked"]) == 1
    assert whole_runs(config.runs_dir).keys() == {done.run_id}


def test_a_run_that_mlflow_did_not_take_is_offered_again(tmp_path: Path, mlflow: dict[str, Any]) -> None:
    config = _tracked(tmp_path)
    mlflow["status"] = "unreachable"
    said: list[str] = []
    done, tracking, _ = nightly.run(config, now=NOW, progress=said.append)
    assert (done.new, tracking) == (True, "unreachable")
    assert "warning: MLflow did not answer" in said
    mlflow["status"] = "recorded"
    again, tracking, _ = nightly.run(config, now=NOW, progress=said.append)
    assert (again.new, again.run_id, tracking) == (False, done.run_id, "recorded")
    assert len(mlflow["asked"]) == 2


# From an empty folder


@pytest.mark.slow
def test_from_an_empty_folder_to_the_page_of_a_council(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert forecast("init", "Leeds").exit_code == 0
    config = tmp_path / "leeds.yaml"
    text = config.read_text(encoding="utf-8")
    for old, new in (
        (r"candidates: \[naive, .*\]", "candidates: [naive, drift, area_growth]"),
        ("enabled: true", "enabled: false"),
        ("n_paths: 1000", "n_paths: 200"),
    ):
        text, changed = re.subn(old, new, text, count=1)
        assert changed
    config.write_text(text, encoding="utf-8")
    with plain_charts():
        for command in ("validate", "run", "publish"):
            result = forecast(command, "-c", "leeds.yaml")
            assert result.exit_code == 0, result.output
    pointer = standing_release(tmp_path / "releases")
    assert pointer is not None
    page = (tmp_path / "releases" / pointer["path"] / "index.html").read_text(encoding="utf-8")
    assert "Leeds" in page
    assert "Yorkshire and The Humber" in page
    projections = pd.read_csv(tmp_path / "releases" / pointer["path"] / "projections.csv", dtype=str)
    assert len(projections) > 0
