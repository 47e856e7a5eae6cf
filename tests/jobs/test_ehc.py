"""The step from request to plan: what it reads, sums and leaves in the run folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jobs.ehc as step
from forecast.ehc.assumptions import Assumptions
from forecast.ehc.local import MonthlyRequests
from forecast.ehc.overrides import Override
from forecast.reference import Area, find_area
from jobs.ehc import project_all
from jobs.ehc_inputs import EhcData, EhcJob, ehc_job, read_ehc
from jobs.inputs import read_sources
from jobs.shell import load
from tests.jobs import samples
from tests.sources import sen2_samples

SECTION = """\
ehc:
  data: plans
  areas: [Stockport]
  until: 2026
"""
OVERRIDE = "  overrides:\n    - {what: refusal, from: 2025-01-01, value: 0.5, reason: panel practice}\n"
JOB = samples.JOB.replace("targets:", "  plans: {source: sen2_release, path: bundled}\ntargets:") + SECTION
MEMBERS = ("Stockport", "Tameside", "Leeds", "Bradford")
LEVELS = (80, 95)
OUTCOMES = (*sen2_samples.COLUMNS["requests"], "requests_decision_not_made", "requests_withdrawn")


@dataclass(frozen=True)
class Made:
    """A projection of one measure, that adds up and lays itself out as the real one does."""

    area: Area
    requests: np.ndarray[tuple[int], np.dtype[np.float64]]
    baseline: Made | None = None
    notes: tuple[str, ...] = ("a note",)

    @classmethod
    def total(cls, projections: Iterator[Made], area: Area, *, history: str) -> Made:
        assert history == f"published of {area.code}"
        members = list(projections)
        base = [member.baseline.requests for member in members if member.baseline]
        whole = cls(area, np.sum([member.requests for member in members], axis=0))
        return replace(whole, baseline=cls(area, np.sum(base, axis=0))) if base else whole

    def table(self, *, levels: Sequence[float]) -> pd.DataFrame:
        assert tuple(levels) == LEVELS
        return pd.DataFrame({"area_code": [self.area.code], "median": [np.median(self.requests)]})

    def adjustment(self) -> pd.DataFrame:
        return pd.DataFrame({"ds": [pd.Timestamp("2025-01-01")], "mean": [12.34], "share": [1.234]})


@pytest.fixture
def projected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the model; gives the areas that were projected, in order."""
    asked: list[str] = []

    def project_each(
        nation: Any, codes: Sequence[str], *, assumptions: Assumptions, monthly: Mapping[str, Any]
    ) -> Iterator[Made]:
        for number, code in enumerate(codes):
            asked.append(code)
            base = Made(find_area(code), np.arange(5.0) * (number + 1) ** 2)
            yield replace(base, requests=base.requests * 2, baseline=base) if assumptions.change_anything else base

    monkeypatch.setattr(step, "prepared", lambda figures, **settings: settings)
    monkeypatch.setattr(step, "project_each", project_each)
    monkeypatch.setattr(step, "published", lambda figures, code: f"published of {code}")
    monkeypatch.setattr(step, "Projection", Made)
    return asked


def job_of(*wanted: str, assumptions: Assumptions | None = None) -> EhcJob:
    members = [find_area(name) for name in MEMBERS]
    figures = SimpleNamespace(areas=tuple(members), last_flow=2023)
    needed = tuple(sorted(members, key=lambda area: (area.region_code, area.code)))
    section = SimpleNamespace(until=2026)
    data = EhcData(figures, {}, (), ("published",), references=("a table",))  # type: ignore[arg-type]
    areas = tuple(find_area(name) for name in wanted)
    return EhcJob(section, data, assumptions or Assumptions(), areas, needed)  # type: ignore[arg-type]


def medians(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["area_code"].map(lambda code: find_area(code).name), table["median"], strict=True))


CONFIG: Any = SimpleNamespace(n_paths=5, seed=1, levels=LEVELS)


def test_regions_and_england_are_sums_over_paths_of_what_was_projected_once(projected: list[str]) -> None:
    made = project_all(job_of("Stockport", "England", "North West"), CONFIG, progress=print)
    # North West comes first by region code: 1 and 4 times the draws; Yorkshire's two 9 and 16 times.
    assert medians(made.table) == {"Stockport": 2.0, "England": 60.0, "North West": 10.0}
    assert sorted(projected) == sorted(find_area(name).code for name in MEMBERS)
    assert made.baseline is None


def test_a_projection_that_a_later_step_needs_is_kept(projected: list[str]) -> None:
    code = find_area("England").code
    made = project_all(job_of("Stockport", "England"), CONFIG, progress=print, keep={code, find_area("Leeds").code})
    assert {code: np.median(kept.requests) for code, kept in made.kept.items()} == {code: 60.0}  # type: ignore[attr-defined]
    assert project_all(job_of("Stockport"), CONFIG, progress=print).kept == {}


def test_how_far_it_is_is_said_along_the_way(projected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "TOLD_EVERY", 2)
    said: list[str] = []
    project_all(job_of("England"), CONFIG, progress=said.append)
    assert said == ["ehc: 2 of 4 local authorities"]


def test_a_region_that_is_not_wanted_is_passed_over(projected: list[str]) -> None:
    made = project_all(job_of("Yorkshire and The Humber", "Stockport"), CONFIG, progress=print)
    assert medians(made.table) == {"Yorkshire and The Humber": 50.0, "Stockport": 2.0}
    assert len(projected) == len(MEMBERS)


def test_with_an_override_the_same_without_it_is_kept_beside(projected: list[str]) -> None:
    change = Assumptions(overrides=(Override(what="requests", start=pd.Timestamp("2025-01-01").date(), multiply=2.0),))
    made = project_all(job_of("Stockport", "England", assumptions=change), CONFIG, progress=print)
    assert made.baseline is not None
    assert medians(made.table) == {"Stockport": 4.0, "England": 120.0}
    assert medians(made.baseline) == {"Stockport": 2.0, "England": 60.0}


def test_the_manifest_says_what_was_projected_and_assumed(projected: list[str]) -> None:
    change = Assumptions(capacity=60, profile=tuple([0.1] * 8 + [0.05] * 4))
    entry = project_all(job_of("Stockport", assumptions=change), CONFIG, progress=print).entry
    assert json.loads(json.dumps(entry)) == entry
    code = find_area("Stockport").code
    assert entry["areas"] == [{"area_code": code, "area_name": "Stockport", "geographic_level": "local_authority"}]
    assert (entry["until"], entry["last_flow"], entry["n_paths"], entry["provenance"]) == (2026, 2023, 5, ["published"])
    (listed,) = entry["overrides"]
    assert (listed["what"], listed["value"], listed["multiply"]) == ("capacity", 60.0, None)
    assert entry["notes"] == {code: ["a note"]}
    assert entry["references"] == ["a table"]
    assert entry["adjustment"] == {code: [{"year": 2025, "plans": 12.3, "percent": 1.23}]}
    assert entry["settings"]["profile"].startswith("0.1, 0.1, ")
    assert all(isinstance(value, str) for value in entry["settings"].values())
    assert [table["name"] for table in entry["tables"]] == [table.name for table in Assumptions().tables]


# From a file to a run folder


@pytest.fixture(scope="module")
def run_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run the job with and without an override. Only to be read."""
    found = {}
    for name, job in (("plain", JOB), ("overridden", JOB + OVERRIDE)):
        config = samples.write_job(tmp_path_factory.mktemp(name), job=job)
        done = samples.forecast("run", "-c", config, "--json")
        assert done.exit_code == 0, done.output
        found[name] = Path(json.loads(done.stdout)["folder"])
    return found


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def yearly(folder: Path, name: str, measure: str) -> pd.Series:
    table = pd.read_parquet(folder / f"{name}.parquet")
    rows = table[table["measure"].eq(measure) & table["by"].eq("") & table["freq"].eq("YS")]
    ahead = rows[rows["status"].ne("published")]
    return ahead.assign(year=ahead["ds"].dt.year).set_index("year")["median"]


@pytest.mark.slow
def test_a_run_leaves_the_table_and_says_so(run_folders: dict[str, Path]) -> None:
    folder = run_folders["plain"]
    manifest = manifest_of(folder)
    assert "ehc.parquet" in manifest["files"]
    assert not (folder / "ehc_baseline.parquet").exists()
    assert manifest["steps"]["ehc"] > 0
    assert manifest["ehc"]["last_flow"] == 2023
    assert {"dfe-ehc-2024"} <= {source["id"] for source in manifest["sources"]}
    table = pd.read_parquet(folder / "ehc.parquet")
    assert {"lo-80", "hi-80", "lo-95", "hi-95", "status", "freq"} <= set(table.columns)
    assert set(table["area_name"]) == {"Stockport"}
    known = table[table["measure"].eq("requests") & table["by"].eq("") & table["status"].eq("published")]
    assert known.set_index(known["ds"].dt.year)["median"].loc[2023] == 790
    assert list(yearly(folder, "ehc", "requests").index) == [2024, 2025, 2026]


@pytest.mark.slow
def test_an_override_from_a_day_changes_what_comes_after_and_leaves_the_baseline(run_folders: dict[str, Path]) -> None:
    plain, overridden = run_folders["plain"], run_folders["overridden"]
    (listed,) = manifest_of(overridden)["ehc"]["overrides"]
    assert (listed["what"], listed["start"], listed["reason"]) == ("refusal", "2025-01-01", "panel practice")
    base = pd.read_parquet(plain / "ehc.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(overridden / "ehc_baseline.parquet"), base)
    with_it, without = yearly(overridden, "ehc", "refused"), yearly(overridden, "ehc_baseline", "refused")
    assert with_it.loc[2024] == pytest.approx(without.loc[2024])
    assert with_it.loc[2025] > 1.5 * without.loc[2025]
    assert plain.name != overridden.name


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do(run_folders: dict[str, Path], tmp_path: Path) -> None:
    config = run_folders["plain"].parents[1] / "job.yaml"
    again = json.loads(samples.forecast("run", "-c", config, "--json").stdout)
    assert (again["new"], again["folder"]) == (False, str(run_folders["plain"]))
    planned = json.loads(samples.forecast("run", "-c", config, "--json", "--dry-run").stdout)
    assert (planned["status"], planned["new"]) == ("planned", False)


@pytest.mark.slow
def test_a_release_has_the_table_of_the_way_from_request_to_plan(run_folders: dict[str, Path]) -> None:
    config = run_folders["overridden"].parents[1] / "job.yaml"
    made = json.loads(samples.forecast("publish", "-c", config, "--json").stdout)
    folder = Path(made["page"]).parent
    manifest = manifest_of(folder)
    assert {"ehc_projections.csv", "ehc_projections.meta.csv"} <= set(manifest["files"])
    assert "panel practice" in (folder / "index.html").read_text(encoding="utf-8")


# A council's own months


def _with_months(folder: Path, *, columns: str = "{ds: Month, y: Requests}", areas: str = "[Stockport]") -> Path:
    """Write a job with 36 months of requests from January 2022: as many as were published, and 100 a month from 2024.

    As of July 2024, 30 of them are known. Stockport's published requests are 705 in 2022 and 790 in 2023.
    """
    entry = (
        "  months:\n    source: table\n    path: months.csv\n    measure: requests\n    freq: MS\n"
        f"    columns: {columns}\n"
    )
    job = JOB.replace("targets:", f"{entry}targets:").replace("areas: [Stockport]", f"areas: {areas}")
    config = samples.write_job(folder, job=f"{job}  monthly: months\n")
    days = pd.date_range("2022-01-01", periods=36, freq="MS")
    counts = [59] * 12 + [66] * 12 + [100] * 12
    rows = "".join(f"{day:%Y-%m-%d},{count},Heatons,E08000007\n" for day, count in zip(days, counts, strict=True))
    (folder / "months.csv").write_text(f"Month,Requests,Locality,Code\n{rows}", encoding="utf-8")
    return config


@pytest.mark.parametrize(
    ("columns", "areas"),
    [("{ds: Month, y: Requests}", "[Stockport, England]"), ("{ds: Month, y: Requests, area: Code}", "all")],
)
def test_own_months_belong_to_their_authority_and_end_on_the_as_of_date(
    tmp_path: Path, columns: str, areas: str
) -> None:
    data = data_of(_with_months(tmp_path, columns=columns, areas=areas))
    ((code, months),) = data.monthly.items()
    assert code == "E08000007"
    assert (months.months[0], months.months[-1]) == (pd.Timestamp("2022-01-01"), pd.Timestamp("2024-06-01"))
    assert data.provenance == ("local", "published")
    assert data.sources[-1].provenance == "local"


@pytest.mark.parametrize(
    ("columns", "areas", "said"),
    [
        ("{ds: Month, y: Requests, area: Locality}", "[Stockport]", "has figures of 'Heatons', which is no local auth"),
        ("{ds: Month, y: Requests}", "[England, Stockport]", "names no local authority, nor is one first under ehc.ar"),
        ("{ds: Month, y: Requests}", "all", "names no local authority, nor is one first under ehc.areas"),
    ],
)
def test_months_of_no_local_authority_are_refused(tmp_path: Path, columns: str, areas: str, said: str) -> None:
    done = samples.forecast("validate", "-c", _with_months(tmp_path, columns=columns, areas=areas))
    assert done.exit_code == 2
    assert f"job.yaml: ehc.monthly: data 'months' {said}" in done.stderr


def test_an_authority_under_two_names_is_refused(tmp_path: Path) -> None:
    config = _with_months(tmp_path, columns="{ds: Month, y: Requests, area: Code}")
    table = tmp_path / "months.csv"
    table.write_text(table.read_text(encoding="utf-8") + "2022-01-01,5,Heatons,Stockport\n", encoding="utf-8")
    done = samples.forecast("validate", "-c", config)
    assert done.exit_code == 4
    assert "data 'months': Stockport stands under two names, one of them 'Stockport'. Give it one." in done.stderr


def test_months_that_count_something_else_are_refused_before_any_work(tmp_path: Path) -> None:
    config = _with_months(tmp_path)
    table = tmp_path / "months.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",59,", ",100,"), encoding="utf-8")
    for command in (("validate",), ("run", "--dry-run")):
        done = samples.forecast(command[0], "-c", config, *command[1:])
        assert done.exit_code == 4
        assert (
            "job.yaml: ehc.monthly: data 'months', Stockport: monthly requests of 2022: 1,200 in all, 705 published"
            in " ".join(done.stderr.split())
        )


@pytest.mark.parametrize(
    ("wanted", "months", "said"),
    [
        (("Stockport",), 24, "own months of Stockport"),
        (("Stockport", "Leeds"), 24, "school_days; own months of Stockport"),
        (("Stockport",), 12, "school_days"),
    ],
)
def test_settings_say_whose_months_set_the_season(
    projected: list[str], wanted: tuple[str, ...], months: int, said: str
) -> None:
    job = job_of(*wanted)
    days = pd.date_range("2022-01-01", periods=months, freq="MS")
    own = MonthlyRequests.from_frame(pd.DataFrame({"ds": days, "y": 60.0}))
    data = replace(job.data, monthly={find_area("Stockport").code: own})
    job = replace(job, data=data, needed=tuple(find_area(name) for name in wanted))
    settings = project_all(job, CONFIG, progress=print).entry["settings"]
    assert settings["profile"] == said
    assert settings["monthly"] == "own requests by month of Stockport"


@pytest.mark.slow
def test_own_months_move_the_projection_and_keep_it_inside(tmp_path: Path, run_folders: dict[str, Path]) -> None:
    config = _with_months(tmp_path)
    folder = Path(json.loads(samples.forecast("run", "-c", config, "--json").stdout)["folder"])
    # 100 a month counted in the half of 2024 that is known; the published 790 of 2023 alone lead to fewer.
    moved, before = (yearly(each, "ehc", "requests").loc[2024] for each in (folder, run_folders["plain"]))
    assert abs(moved - 1200) < abs(before - 1200)
    manifest = manifest_of(folder)
    assert manifest["provenance"] == ["local", "published", "synthetic"]
    assert manifest["ehc"]["provenance"] == ["local", "published"]
    assert "local" in {source["provenance"] for source in manifest["sources"]}
    assert manifest["ehc"]["settings"]["monthly"] == "own requests by month of Stockport"
    assert manifest["ehc"]["settings"]["profile"] == "own months of Stockport"
    refused = samples.forecast("publish", "-c", config)
    assert refused.exit_code == 5
    assert "disclosure control does not exist yet" in refused.stderr


def data_of(config: Path) -> EhcData:
    loaded = load(str(config), None)
    data = read_ehc(loaded, read_sources(loaded))
    assert data is not None
    return data


def test_a_release_folder_gives_its_own_breakdowns_and_bundled_shares_of_need(tmp_path: Path) -> None:
    job = JOB.replace("path: bundled", "path: release")
    config = samples.write_job(tmp_path, job=job)
    requests = [row for year in ("2022", "2023") for row in _with_outcomes(sen2_samples.summed(year, 100, 200, 300))]
    ages = [("2023", "Alder", "Age when plan started", f"age {age}", y) for age, y in ((4, 10), (5, 5))]
    sen2_samples.write(
        tmp_path / "release",
        {
            "requests": sen2_samples.table("requests", requests, columns=OUTCOMES),
            "caseload": sen2_samples.table("caseload", sen2_samples.summed("202324", 1000, 2000, 3000)),
            "newplans": sen2_samples.cut_table(
                "New EHC plans", ("new_ehc_plans",), [("2023", "Alder", "", "", 15), *ages]
            ),
        },
    )
    data = data_of(config)
    rows = data.figures.breakdowns
    own = rows[rows["measure"].eq("new_plans")]
    assert dict(zip(own["age"], own["y"], strict=True)) == {"4": 10.0, "5": 5.0}
    shares = rows[rows["measure"].str.startswith("need_share")]
    bundled = data_of(samples.write_job(tmp_path / "bundled", job=JOB)).figures.breakdowns
    assert len(shares) == bundled["measure"].str.startswith("need_share").sum() > 0
    assert {*own["source"], *shares["source"]} <= {note.id for note in data.sources}
    assert data.provenance == ("published",)
    assert any("no file for breakdown 'ceased_" in warning for warning in data.warnings)
    assert data.warnings[0] in json.loads(samples.forecast("validate", "-c", config, "--json").stdout)["warnings"]


def _with_outcomes(rows: list[tuple[str, str, int]]) -> list[tuple[str, str, int, int, int, int, int]]:
    return [(period, area, y, y // 10, y - y // 10, 0, 0) for period, area, y in rows]


def test_all_is_every_local_authority_then_the_regions_then_england(tmp_path: Path) -> None:
    config = samples.write_job(tmp_path, job=JOB.replace("areas: [Stockport]", "areas: all"))
    job = ehc_job(load(str(config), None), data_of(config))
    assert job is not None
    levels = [area.geographic_level for area in job.wanted]
    count = len(job.data.figures.areas)
    assert levels == ["local_authority"] * count + ["region"] * 9 + ["national"]
    assert [area.name for area in job.wanted[:2]] == ["Barking and Dagenham", "Barnet"]
    assert {area.code for area in job.needed} == {area.code for area in job.data.figures.areas}
    regions = [area.region_code for area in job.needed]
    assert regions == sorted(regions)


def test_a_region_needs_its_local_authorities_and_no_others(tmp_path: Path) -> None:
    config = samples.write_job(tmp_path, job=JOB.replace("[Stockport]", "[Leeds, North West]"))
    job = ehc_job(load(str(config), None), data_of(config))
    assert job is not None
    assert [area.name for area in job.wanted] == ["Leeds", "North West"]
    outside = [area.name for area in job.needed if area.region_name != "North West"]
    assert outside == ["Leeds"]
    assert len(job.needed) == 1 + sum(area.region_name == "North West" for area in job.data.figures.areas)


def test_a_last_year_that_is_in_the_data_already_is_refused_before_any_work(tmp_path: Path) -> None:
    config = samples.write_job(tmp_path, job=JOB.replace("until: 2026", "until: 2023"))
    for command in (("validate",), ("run", "--dry-run"), ("run",)):
        done = samples.forecast(command[0], "-c", config, *command[1:])
        assert done.exit_code == 2
        said = "ehc.until: 2023, but figures go to 2023 already on 2024-07-01. Set 2024 or later."
        assert said in done.stderr
    assert not list((tmp_path / "runs").glob("[!.]*"))


def test_figures_too_old_for_the_cohort_are_refused_before_any_work(tmp_path: Path) -> None:
    config = samples.write_job(tmp_path, job=JOB)
    for command in (("validate",), ("run", "--dry-run"), ("run",)):
        done = samples.forecast(command[0], "-c", config, "--as-of", "2023-12-31", *command[1:])
        assert done.exit_code == 4, done.output
        assert "job.yaml: ehc.data: data 'plans': requests by age, 2022: not known" in " ".join(done.stderr.split())
    assert not list((tmp_path / "runs").glob("[!.]*"))


def test_an_override_that_ends_before_the_projection_begins_is_refused(tmp_path: Path) -> None:
    early = OVERRIDE.replace("2025-01-01,", "2022-09-01, to: 2023-12-31,")
    done = samples.forecast("validate", "-c", samples.write_job(tmp_path, job=JOB + early))
    assert done.exit_code == 2
    said = "job.yaml: ehc.overrides[0].to: 2023-12-31 is before the first projected year, 2024, so that nothing would"
    assert said in " ".join(done.stderr.split())
    later = samples.write_job(tmp_path / "later", job=JOB + early.replace("2023-12-31", "2024-01-31"))
    assert samples.forecast("validate", "-c", later).exit_code == 0


def test_rates_that_cannot_be_are_refused_before_anything_is_forecast(tmp_path: Path) -> None:
    much = OVERRIDE.replace("value: 0.5", "multiply: 9")
    done = samples.forecast("validate", "-c", samples.write_job(tmp_path, job=JOB + much))
    assert done.exit_code == 2
    assert "job.yaml: ehc.overrides: Stockport: refusal" in " ".join(done.stderr.split())


def test_what_is_read_for_reference_is_among_the_sources_and_marked(tmp_path: Path) -> None:
    data = data_of(samples.write_job(tmp_path, job=JOB))
    named = {note.id for note in data.sources}
    assert {"ons-snpp", "dfe-pupils-with-plan", "dfe-ehc-2024", "dfe-ehc-2025"} <= named
    # Shares of need of reporting year 2025 came out after the as-of date in July 2024.
    assert set(data.references) == {"dfe-ehc-2025", "ons-snpp"}


def test_figures_are_those_of_the_as_of_date(tmp_path: Path) -> None:
    config = samples.write_job(tmp_path, job=JOB)
    years = {}
    for day in ("2023-07-01", "2024-07-01"):
        loaded = load(str(config), None, pd.Timestamp(day).to_pydatetime())
        data = read_ehc(loaded, read_sources(loaded))
        assert data is not None
        years[day] = (data.figures.last_flow, data.figures.of("caseload").columns.max(), data.digest)
    assert years["2023-07-01"][:2] == (2022, 2023)
    assert years["2024-07-01"][:2] == (2023, 2024)
    assert years["2023-07-01"][2] != years["2024-07-01"][2]


def test_the_digest_knows_the_figures_and_not_their_order() -> None:
    breakdowns = pd.DataFrame({"measure": ["a", "b"], "y": [1.0, 2.0], "source": ["one", "one"]})
    pupils = pd.DataFrame({2024: [4.0, 5.0]}, index=pd.Index(["x", "y"]))

    def digest(rows: pd.DataFrame, percent: pd.DataFrame = pupils) -> str:
        figures: Any = SimpleNamespace(breakdowns=rows, pupils=percent)
        return EhcData(figures, {}, (), ()).digest

    first = digest(breakdowns)
    assert digest(breakdowns.iloc[::-1].assign(source="two")) == first
    assert digest(breakdowns.assign(y=[1.0, 3.0])) != first
    assert digest(breakdowns, pupils + 1) != first
