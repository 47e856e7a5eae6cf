"""The step of speech and language: what it reads, checks, asks the library for and leaves in the run folder."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import jobs.speech_language as step
from forecast import reference
from forecast.errors import InputError, SpecError
from forecast.sources.faults import faults_of
from jobs import record
from jobs.inputs import read_sources
from jobs.shell import load
from jobs.speech_language import project_service
from jobs.speech_language_inputs import SpeechLanguageData, SpeechLanguageJob, read_speech_language, speech_language_job
from tests.jobs import samples, slt_samples
from tests.jobs.slt_samples import JOB, OPTIONS, WITHOUT_LOG, log, write_job


def read(config: Path, day: str | None = None) -> tuple[Any, SpeechLanguageData]:
    loaded = load(str(config), None, pd.Timestamp(day).to_pydatetime() if day else None)
    data = read_speech_language(loaded, read_sources(loaded))
    assert data is not None
    return loaded, data


def checked(config: Path) -> SpeechLanguageJob:
    job = speech_language_job(*read(config))
    assert job is not None
    return job


def validated(config: Path) -> tuple[int, str]:
    done = samples.forecast("validate", "-c", config)
    return done.exit_code, " ".join(done.stderr.split())


# What is read


def test_the_log_ends_on_the_as_of_date_and_says_where_it_is_from(tmp_path: Path) -> None:
    config = write_job(tmp_path)
    _, data = read(config, "2023-11-30")
    assert data.log is not None
    assert data.log.frame["ds"].max() == pd.Timestamp("2023-10-01")
    assert data.waiting["available"].max() <= pd.Timestamp("2023-11-30")
    assert data.provenance == ("published", "synthetic")
    assert data.synthetic == ("log.csv",)
    assert {note.provenance for note in data.sources} == {"published", "synthetic"}


def test_nothing_known_of_the_log_is_refused_by_name(tmp_path: Path) -> None:
    late = log().replace("2021-", "2091-").replace("2022-", "2092-").replace("2023-", "2093-")
    config = write_job(tmp_path, text=late)
    with pytest.raises(InputError, match=r"data 'log' \(slt_referrals\): log\.csv: its first month was known on 2091"):
        read(config)
    assert validated(config)[0] == 4


def test_the_bundled_log_is_synthetic(tmp_path: Path) -> None:
    _, data = read(write_job(tmp_path, job=JOB.replace("path: log.csv, provenance: synthetic", "path: bundled")))
    assert data.log is not None
    assert data.log.frame["y"].sum() == reference.slt_referrals().frame["y"].sum()
    assert data.provenance == ("published", "synthetic")


def test_a_file_is_read_as_the_config_says(tmp_path: Path) -> None:
    columns = "{month: When, referrals: Count, locality: Place}"
    job = JOB.replace("path: log.csv", f'path: log.csv, columns: {columns}, date_format: "%d/%m/%Y", title: Our log')
    config = write_job(tmp_path, job=job, text="When,Place,Count\n01/09/2023,Heatons,7\n")
    _, data = read(config)
    assert data.log is not None
    (row,) = data.log.frame.itertuples()
    assert (row.ds, row.locality, row.tier, row.y) == (pd.Timestamp("2023-09-01"), "Heatons", "all", 7.0)
    assert data.synthetic == ("Our log",)


def test_without_a_log_only_the_published_list_is_read(tmp_path: Path) -> None:
    _, data = read(write_job(tmp_path, job=WITHOUT_LOG))
    assert data.log is None
    assert (data.provenance, data.synthetic) == (("published",), ())


def test_a_config_without_the_section_reads_nothing(tmp_path: Path) -> None:
    loaded = load(str(samples.write_job(tmp_path)), None)
    assert read_speech_language(loaded, {}) is None
    assert speech_language_job(loaded, None) is None


def test_the_digest_knows_the_log_and_not_its_order(tmp_path: Path) -> None:
    _, data = read(write_job(tmp_path))
    assert data.log is not None
    turned = replace(data, log=replace(data.log, frame=data.log.frame.iloc[::-1]))
    assert turned.digest == data.digest
    more = replace(data, log=replace(data.log, frame=data.log.frame.assign(y=data.log.frame["y"] + 1)))
    assert more.digest != data.digest
    assert replace(data, log=None).digest != data.digest


def test_the_run_id_covers_the_section_and_its_log(tmp_path: Path) -> None:
    def run_id(folder: str, job: str = JOB, text: str | None = None) -> str:
        loaded, data = read(write_job(tmp_path / folder, job=job, text=text))
        return record.run_id_of(loaded, read_sources(loaded), [data])

    first = run_id("a")
    assert run_id("b") == first
    assert run_id("c", text=log(more=1)) != first
    assert run_id("d", JOB.replace("value: 900", "value: 950")) != first
    assert run_id("e", text=log("2024-12-01")) != first  # months to June 2024 are visible


# What is checked before anything is forecast


def test_a_service_is_found_by_name_or_code_and_starts_after_the_last_list(tmp_path: Path) -> None:
    job = checked(write_job(tmp_path))
    assert (job.provider, job.provider_name) == ("RWJ", "Stockport NHS Foundation Trust")
    assert (job.months[0], job.months[-1], len(job.months)) == (
        pd.Timestamp("2023-10-01"),
        pd.Timestamp("2024-06-01"),
        9,
    )
    assert [option.name for option in job.service.options] == ["more_staff", "redesign"]
    assert job.ehc_code == ""
    coded = checked(write_job(tmp_path / "coded", job=JOB.replace("Stockport NHS Foundation Trust", "rwj")))
    assert coded.provider_name == job.provider_name


AT = r"job\.yaml:(\d+):\d+: speech_language\."
MANY = "{0-1: 0, 1-4: 0.01, 4+: 0.02}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Stockport NHS", "Stokport NHS", "provider: 'Stokport NHS Foundation Trust' is not in data 'slt' as known on "
         "2024-07-01; the nearest are Stockport NHS Foundation Trust"),
        ("provider: Stockport NHS Foundation Trust", "provider: zzz", "provider: 'zzz' is not in data 'slt'"),
        ("months: 9\n", "months: 9\n  seen_at_once: [universl]\n", "seen_at_once: seen_at_once 'universl': "),
        ("{targeted: 2, specialist: 3}", "{targeted: 2}", "norms.first_contact_hours.value: norm 'first_cont"),
        ("months: 9\n", "months: 9\n  in_treatment: {targeted: 5}\n", "in_treatment: 'specialist' has no figure; the "),
        ("months: 9\n", "months: 9\n  in_treatment: {targeted: 5, specialist: 5, special: 1}\n",
         "in_treatment: 'special' is not a tier of the referrals; the tiers are specialist, targeted."),
        ("from: 2023-01-01, wte", "from: 2024-01-01, wte", "staff: "),
        ("more: 2}", "more: -21}", "options[0].wte: "),
        ("to_tier: targeted", "to_tier: universal", "options[1].tiers[0]: move from specialist to universal: "),
        ("by: 2024-06-30", "by: 2024-07-01", "target.by: 2024-07-01 is not in the months projected, 2023-10 to 20"),
        ("by: 2024-06-30", "by: 2023-09-30", "target.by: 2023-09-30 is not in the months projected, 2023-10 to 20"),
        ("2024-01-01, more", "2024-07-01, more", "options[0].wte[0]: 2024-07-01 is after the months projected, 2023-"),
        ("start: 2024-01-01", "start: 2023-09-01", "options[1].tiers[0]: 2023-09-01 is before the months projected, "),
        ("share: 0.2, start: 2024-01-01}", "share: 0.6, start: 2024-01-01}, {from_tier: specialist, to_tier: targeted, "
         "share: 0.6, start: 2024-02-01}", "options[1].tiers: moves from specialist: 0.6 to targeted and 0.6 to targ"),
        ("months: 9\n", "months: 9\n  capacity: [{from: 2024-01-01, a_week: 24}]\n",
         "capacity: first contacts a week on 2023-10-05, in the first week projected, are not known; the f"),
        ("wte: [{from: 2024-01-01, more: 2}]", "capacity: [{from: 2024-01-01, more_a_week: -500}]",
         "options[0].capacity[0].more_a_week: -500 takes away more than there are in the week of 2024-01-01, "),
        ("months: 9\n", "months: 9\n  capacity: 1\n  options: [{name: less, title: Less, reason: x, capacity: [{from: "
         "2024-01-01, more_a_week: 1}, {from: 2024-03-01, to: 2024-03-31, more_a_week: -2.5}]}]\n",
         "options[0].capacity[1].more_a_week: -2.5 takes away more than there are in the week of 2024-03-04, 1"),
        ("start: 2024-01-01", "start: 2025-01-01", "options[1].tiers[0]: 2025-01-01 is after the months projected"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_data_is_refused_before_any_work(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in JOB
    job = JOB.replace(old, new, 1)
    job = job.replace(OPTIONS, "") if "options:" in new else job
    code, stderr = validated(write_job(tmp_path, job=job))
    assert code == 2
    found = re.search(f"error: {AT}{re.escape(said)}", stderr)
    assert found, stderr
    first = job[: job.index(new)].count("\n") + 1
    assert first <= int(found[1]) <= first + new.count("\n")


def test_two_moves_are_each_told_at_their_own_line(tmp_path: Path) -> None:
    move = "{from_tier: specialist, to_tier: targeted, share: 0.2, start: 2024-01-01}"
    wrong = [move.replace("targeted", name) for name in ("one", "two")]
    job = JOB.replace(f"tiers: [{move}]", "tiers:\n" + "\n".join(f"        - {each}" for each in [*wrong, move]))
    with pytest.raises(SpecError) as caught:
        checked(write_job(tmp_path, job=job))
    lines = [job[: job.index(each)].count("\n") + 1 for each in wrong]
    assert [str(each).split(": move")[0] for each in faults_of(caught.value)] == [
        f"job.yaml:{line}:11: speech_language.options[1].tiers[{place}]" for place, line in enumerate(lines)
    ]


def test_an_option_may_take_away_what_there_is(tmp_path: Path) -> None:
    less = "capacity: [{from: 2024-01-01, more_a_week: -1}]"
    job = JOB.replace("months: 9\n", "months: 9\n  capacity: 1\n")
    assert checked(write_job(tmp_path, job=job.replace("wte: [{from: 2024-01-01, more: 2}]", less))).service.options


@pytest.mark.parametrize(
    ("bands", "warned"),
    [("[4, 12, 18, 52]", ""), ("[4, 12, 52]", "at 18 weeks, the target:"), ("[4]", "the target, nor at 52 weeks:")],
)
def test_bands_that_cannot_show_the_target_are_a_warning(tmp_path: Path, bands: str, warned: str) -> None:
    config = write_job(tmp_path, job=JOB.replace("months: 9\n", f"months: 9\n  bands: {bands}\n"))
    found = [line for line in read(config)[1].warnings if line.startswith("speech_language.bands: no edge")]
    assert len(found) == bool(warned)
    assert all(warned in line for line in found)
    assert validated(config)[0] == 0


def test_all_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    job = JOB.replace("to_tier: targeted", "to_tier: universal").replace("by: 2024-06-30", "by: 2025-06-30")
    job = job.replace("{targeted: 2, specialist: 3}", "{targeted: 2}")
    with pytest.raises(SpecError) as caught:
        checked(write_job(tmp_path, job=job))
    told = [re.sub(AT, "", str(each)).split(":")[0] for each in faults_of(caught.value)]
    assert told == ["norms.first_contact_hours.value", "options[1].tiers[0]", "target.by"]


def test_norms_by_wait_band_must_be_those_of_the_list(tmp_path: Path) -> None:
    job = JOB.replace("reneging_a_month: {value: 0.01", f"reneging_a_month: {{value: {MANY}")
    config = write_job(tmp_path, job=job)
    code, stderr = validated(config)
    assert code == 2
    assert (
        "speech_language.norms.reneging_a_month.value: given for wait bands 0-1, 1-4, 4+; those of the list" in stderr
    )
    config.write_text(job.replace("  months: 9", "  months: 9\n  bands: [1, 4]"), encoding="utf-8")
    assert validated(config)[0] == 0


def test_missing_norms_are_listed_by_validate(tmp_path: Path) -> None:
    start, stop = JOB.index("  norms:"), JOB.index("  options:")
    config = write_job(tmp_path, job=JOB[:start] + JOB[stop:])
    done = samples.forecast("validate", "-c", config, "--json")
    assert done.exit_code == 2
    faults = json.loads(done.stdout)["faults"]
    assert len(faults) == 10
    assert "10 of 10 are missing. There is no default: no published norm was found" in faults[0]
    assert (
        "speech_language.norms.contact_hours: is missing: working hours that one treatment contact takes"
        in " ".join(faults)
    )


def test_a_list_from_which_referrals_cannot_be_estimated_is_refused_by_name(tmp_path: Path) -> None:
    loaded, data = read(write_job(tmp_path, job=WITHOUT_LOG))
    own = data.waiting["area_code"].eq("RWJ") & data.waiting["measure"].eq("slt_waiting")
    grown = data.waiting.assign(y=data.waiting["y"].mask(own & data.waiting["ds"].ge("2023-05-01"), 9000.0))
    with pytest.raises(InputError, match=AT + r"waiting_list: .*Stockport NHS Foundation Trust"):
        speech_language_job(loaded, replace(data, waiting=grown))


def test_more_who_leave_unseen_than_leave_at_all_is_refused_before_any_work(tmp_path: Path) -> None:
    code, stderr = validated(
        write_job(tmp_path, job=JOB.replace("removal_a_month: {value: 0.01", "removal_a_month: {value: 0.9"))
    )
    assert code == 4
    said = "waiting_list: waiting list of Stockport NHS Foundation Trust: more children leave it unseen"
    assert re.search(f"error: {AT}{said}", stderr)


def test_children_can_move_to_a_tier_that_had_no_referral_there(tmp_path: Path) -> None:
    lines = [line for line in log().splitlines() if "Marple" not in line or "targeted" not in line]
    assert checked(write_job(tmp_path, text="\n".join(lines) + "\n")).service.options[1].tiers


def test_ehc_demand_must_be_projected_as_far(tmp_path: Path) -> None:
    ehc = "ehc: {data: plans, areas: [Stockport], until: 2024}\nspeech_language:\n  ehc_area: Stockport\n"
    norms = "".join(
        f"    {name}: {{value: {value}, {slt_samples.SOURCE}}}\n"
        for name, value in {
            "advice_share": 0.5, "advice_hours": 5, "plan_share": "{slcn: 0.9, asd: 0.4}", "plan_contacts_a_year": 4,
            "plan_contact_hours": 1.5,
        }.items()
    )  # fmt: skip
    job = JOB.replace("speech_language:\n", ehc).replace("  options:\n", f"{norms}  options:\n")
    job = job.replace("  slt: {", "  plans: {source: sen2_release, path: bundled}\n  slt: {")
    assert checked(write_job(tmp_path, job=job)).ehc_code == "E08000007"
    with pytest.raises(SpecError, match=r"speech_language\.months: they end in 2025-01, after ehc\.until \(2024\)"):
        checked(write_job(tmp_path / "late", job=job.replace("months: 9", "months: 16")))


# What the library is asked for


class Made:
    """A projection that lays itself out as the real one does."""

    def table(self, *, levels: tuple[int, ...]) -> pd.DataFrame:
        return pd.DataFrame({"levels": [list(levels)]})

    def entry(self) -> dict[str, Any]:
        return {"proxy": False, "notes": ["a note"]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def project(service: Any, **settings: Any) -> Made:
        found.update(settings, service=service)
        return Made()

    monkeypatch.setattr(step.speech_language, "project", project)
    return found


def test_the_library_is_asked_for_what_the_section_says(tmp_path: Path, asked: dict[str, Any]) -> None:
    config = write_job(tmp_path)
    loaded, data = read(config)
    job = speech_language_job(loaded, data)
    assert job is not None
    assert data.log is not None
    made = project_service(job, loaded, ehc=None)
    assert asked["service"] is job.service
    assert asked["referrals"] is data.log.frame
    assert asked["waiting"] is data.waiting
    assert (asked["provider"], asked["months"], asked["model"]) == ("RWJ", 9, "naive")
    assert (asked["n_paths"], asked["seed"], asked["ehc"]) == (100, 1, None)
    assert asked["provenance"] == {"referrals": "synthetic", "waiting": "published"}
    assert made.entry == {
        "proxy": False, "notes": ["a note"], "ehc_area": "", "provenance": ["published", "synthetic"],
        "synthetic": ["log.csv"],
    }  # fmt: skip
    assert made.table["levels"].tolist() == [[80, 95]]


def test_ehc_demand_is_that_of_the_area_named_and_its_provenance_counts(tmp_path: Path, asked: dict[str, Any]) -> None:
    loaded, data = read(write_job(tmp_path, job=WITHOUT_LOG))
    job = speech_language_job(loaded, data)
    assert job is not None
    ehc: Any = SimpleNamespace(kept={"E1": "a projection"}, entry={"provenance": ["local", "published"]})
    made = project_service(replace(job, ehc_code="E1"), loaded, ehc=ehc)
    assert asked["ehc"] == "a projection"
    assert asked["referrals"] is None
    assert asked["provenance"] == {"referrals": "published", "waiting": "published", "ehc": "local"}
    assert made.entry["provenance"] == ["local", "published"]
    assert project_service(job, loaded, ehc=ehc).entry["provenance"] == ["published"]
    assert asked["ehc"] is None


def test_what_the_library_refuses_is_told_with_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def project(service: Any, **settings: Any) -> Made:
        raise SpecError("capacity: not known on that day. Give it.")

    monkeypatch.setattr(step.speech_language, "project", project)
    loaded, data = read(write_job(tmp_path, job=WITHOUT_LOG))
    job = speech_language_job(loaded, data)
    assert job is not None
    with pytest.raises(SpecError, match=r"job\.yaml: speech_language: capacity: not known on that day"):
        project_service(job, loaded, ehc=None)


# From a file to a run folder and a release


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the job. Only to be read."""
    config = write_job(tmp_path_factory.mktemp("slt"))
    done = samples.forecast("run", "-c", config, "--json")
    assert done.exit_code == 0, done.output
    return Path(json.loads(done.stdout)["folder"])


@pytest.mark.slow
def test_a_run_leaves_the_table_and_says_so(run_folder: Path) -> None:
    manifest = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))
    assert "speech_language.parquet" in manifest["files"]
    assert manifest["steps"]["speech_language"] > 0
    assert {"nhs_community_waiting_lists", "log.csv"} <= {source["id"] for source in manifest["sources"]}
    assert manifest["provenance"] == ["published", "synthetic"]
    entry = manifest["speech_language"]
    assert entry["provider"] == {"area_code": "RWJ", "area_name": "Stockport NHS Foundation Trust"}
    assert (entry["first"], entry["last"], entry["n_paths"]) == ("2023-10", "2024-06", 100)
    assert [option["name"] for option in entry["options"]] == ["as_now", "more_staff", "redesign"]
    assert {norm["source"] for norm in entry["norms"]} == {"made up for a test"}
    table = pd.read_parquet(run_folder / "speech_language.parquet")
    waiting = table[table["measure"].eq("waiting") & table["by"].eq("") & table["status"].eq("outturn")]
    assert waiting.set_index("ds")["median"].loc["2023-09-01"] == pytest.approx(497)
    assert set(table["option"]) == {"as_now", "more_staff", "redesign"}


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do(run_folder: Path) -> None:
    config = run_folder.parents[1] / "job.yaml"
    again = json.loads(samples.forecast("run", "-c", config, "--json").stdout)
    assert (again["new"], again["folder"]) == (False, str(run_folder))


@pytest.mark.slow
def test_a_release_has_the_table(run_folder: Path) -> None:
    config = run_folder.parents[1] / "job.yaml"
    with samples.plain_charts():
        made = json.loads(samples.forecast("publish", "-c", config, "--json").stdout)
    page = Path(made["page"])
    named = json.loads((page.parent / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {"speech_language_projections.csv", "speech_language_projections.meta.csv"} <= set(named)
    assert samples.standing_release(page.parents[1]) is not None
    assert "Two more" in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_log_of_ones_own_is_not_published(tmp_path: Path) -> None:
    config = write_job(tmp_path, job=JOB.replace(", provenance: synthetic}", "}").replace(OPTIONS, ""))
    folder = Path(json.loads(samples.forecast("run", "-c", config, "--json").stdout)["folder"])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["speech_language"]["provenance"] == ["local", "published"]
    assert "local" in manifest["provenance"]
    refused = samples.forecast("publish", "-c", config)
    assert refused.exit_code == 5
    assert "provenance is local (source log.csv)" in refused.stderr
