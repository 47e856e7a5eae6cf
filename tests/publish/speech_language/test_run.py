import json
import re

import pandas as pd
import pytest

from forecast.errors import InputError, PublishRefused
from forecast.publish.run import read_run
from forecast.publish.speech_language.run import Figures, Goal, academic_year
from jobs.release import publish
from tests.publish.speech_language.frame import AHEAD, referred, slt_frame, waiting, write_slt
from tests.run_folder import write_run

MARCH = pd.Timestamp("2027-03-01")


@pytest.fixture(scope="module")
def figures(slt):
    return Figures(slt.table)


def rewritten(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest["speech_language"])
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_a_run_without_the_section_has_none(tmp_path):
    assert read_run(write_run(tmp_path / "run")).speech_language is None


def test_the_projection_is_read_with_what_was_assumed(slt_run, slt):
    assert (slt.provider.name, slt.provider.level) == ("Stockport NHS Foundation Trust", "provider")
    assert slt.goal == Goal(18, 0.92, MARCH)
    assert (slt.known_to, slt.first, slt.last) == (pd.Timestamp("2023-09-01"), AHEAD[0], AHEAD[-1])
    assert slt.synthetic
    assert slt.label == " (synthetic data)"
    assert slt_run.provenance == {"published", "synthetic"}
    assert slt.made_up == ("the log of referrals",)


def test_a_run_from_published_figures_is_not_labelled(tmp_path):
    run = read_run(write_slt(tmp_path / "run", provenance="published", log=False))
    assert not run.speech_language.synthetic
    assert run.speech_language.label == ""
    assert run.provenance == {"published"}


def test_local_referrals_are_refused_by_the_gate(tmp_path):
    folder = write_slt(tmp_path / "run", provenance="local")
    with pytest.raises(PublishRefused, match="local"):
        publish(folder, tmp_path / "releases", now=pd.Timestamp("2024-11-24"))


def test_local_rows_count_even_if_the_manifest_does_not_say_so(tmp_path):
    folder = write_slt(tmp_path / "run", provenance="published")
    slt_frame(provenance="local").to_parquet(folder / "speech_language.parquet")
    assert "local" in read_run(folder).provenance


def test_a_table_or_a_key_that_is_missing_is_refused_by_name(tmp_path):
    folder = write_slt(tmp_path / "run")
    slt_frame().drop(columns="provenance").to_parquet(folder / "speech_language.parquet")
    with pytest.raises(InputError, match=r"speech_language\.parquet: column 'provenance' is missing"):
        read_run(folder)
    (folder / "speech_language.parquet").unlink()
    with pytest.raises(InputError, match=r"speech_language\.parquet: missing"):
        read_run(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.pop("norms"), "'speech_language.norms' is missing"),
        (lambda entry: entry.pop("today"), "'speech_language.today' is missing"),
        (lambda entry: entry["options"][1].pop("target_met"), "'speech_language.options[1].target_met' is missing"),
        (lambda entry: entry["options"].clear(), "'speech_language.options' is empty"),
    ],
)
def test_a_manifest_that_is_not_whole_is_refused(tmp_path, change, message):
    folder = rewritten(write_slt(tmp_path / "run"), change)
    with pytest.raises(InputError, match=re.escape(message)):
        read_run(folder)


def test_figures_are_found_by_measure_breakdown_and_period(figures):
    found = figures.at("waiting", MARCH)
    assert found.mean == pytest.approx(497 + 6 * 42)
    assert found.mean == pytest.approx(waiting(MARCH))
    assert (found.outturn, found.synthetic) == (False, True)
    published = figures.at("waiting", pd.Timestamp("2023-09-01"))
    assert (published.median, published.outturn, published.synthetic) == (497, True, False)
    year = figures.year("referrals", pd.Timestamp("2024-09-01"))
    months = pd.date_range("2024-09-01", "2025-08-01", freq="MS")
    assert year.mean == pytest.approx(sum(referred(month) for month in months))
    wait = figures.at("median_wait", pd.Timestamp("2023-09-01"))
    assert (wait.outturn, wait.modelled, published.modelled) == (True, True, False)
    assert len(figures.months("median_wait", outturn=True)) == 9
    assert figures.at("waiting", pd.Timestamp("2030-01-01")) is None
    assert not len(figures.series("nothing"))
    assert len(figures.months("referrals", outturn=True)) == 48


def test_a_figure_that_is_not_a_number_is_none(slt):
    frame = slt.table.copy()
    frame.loc[frame["measure"].eq("p92_wait") & frame["ds"].eq(MARCH), "median"] = float("nan")
    assert Figures(frame).at("p92_wait", MARCH) is None


def test_an_option_has_its_own_figures_and_else_those_of_the_service_as_it_is(slt, figures):
    option = Figures(slt.table, "more_staff")
    assert option.at("waiting", MARCH).mean == pytest.approx(waiting(MARCH) / 2)
    assert option.at("in_treatment", MARCH) == figures.at("in_treatment", MARCH)
    assert option.categories("waiting", "wait_band") == figures.categories("waiting", "wait_band")


def test_ages_and_tiers_have_an_order_of_their_own(slt):
    figures = Figures(slt.table.sort_values("category", kind="stable"))
    assert figures.categories("referrals", "age_band") == ("0-4", "5-10", "11-18")
    assert figures.categories("referrals", "tier") == ("universal", "targeted", "specialist")
    assert figures.categories("referrals", "source")[0] == "GP or paediatrician"


@pytest.mark.parametrize(("month", "start"), [("2024-08-01", 2023), ("2024-09-01", 2024), ("2025-01-01", 2024)])
def test_an_academic_year_starts_in_september(month, start):
    assert academic_year(pd.Timestamp(month)) == pd.Timestamp(start, 9, 1)
