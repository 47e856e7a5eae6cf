"""The made-up referral log: the same bytes from the same seed, labelled, and as large as the published list says."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest

from forecast import reference
from forecast.reference import synthetic_referrals
from forecast.reference.build import build
from forecast.reference.synthetic_referrals import make_log, published_proxy
from forecast.sources.observations import digest_files
from tests.sources.sen2_samples import release, summed

FILE = resources.files("forecast.reference").joinpath("data", "slt_referrals_synthetic.csv")


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return make_log()


def test_the_file_is_what_the_generator_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert synthetic_referrals.main() == 0
    written = capsys.readouterr().out
    assert written == FILE.read_text(encoding="utf-8")
    assert len(written) < 400_000
    with resources.as_file(FILE) as path:
        assert reference.sources("slt_referrals")[0].digest == digest_files([path])


def test_every_row_says_that_it_is_synthetic(log: pd.DataFrame) -> None:
    assert set(log["provenance"]) == {"synthetic"}
    bundled = reference.slt_referrals()
    assert (bundled.provenance, bundled.sources[0].provenance) == ("synthetic", "synthetic")
    assert set(bundled.frame["provenance"]) == {"synthetic"}
    bundled.frame["y"] = -1.0
    assert reference.slt_referrals().frame["y"].min() == 0


def test_the_last_nine_months_add_up_to_the_published_proxy(log: pd.DataFrame) -> None:
    # Children waiting up to a week at Stockport NHS FT at the end of January to September 2023, as published.
    waiting, days = (22, 13, 12, 27, 31, 11, 27, 29, 38), (31, 28, 31, 30, 31, 30, 31, 31, 30)
    expected = sum(1.1 * w * d / 7 for w, d in zip(waiting, days, strict=True))
    assert published_proxy().sum() == pytest.approx(expected)
    joins = log["month"].ge("2023-01") & log["tier"].ne("universal")
    assert log.loc[joins, "referrals"].sum() == round(expected)


def test_it_has_every_locality_in_every_month_and_every_cell(log: pd.DataFrame) -> None:
    assert log["month"].nunique() == 48
    assert (log.groupby("month")["locality"].nunique() == 7).all()
    assert log.groupby(["locality", "age_band", "tier"]).ngroups == 63
    assert set(log["source"]) == set(synthetic_referrals.SOURCES)


def test_schools_refer_in_term_and_few_did_in_the_first_closure(log: pd.DataFrame) -> None:
    school = log[log["source"].eq("School or nursery")].groupby("month")["referrals"].sum()
    assert school.get("2022-08", 0) < 0.3 * school["2022-09"]
    total = log.groupby("month")["referrals"].sum()
    assert total["2020-04":"2020-06"].mean() < 0.6 * total["2019-10":"2020-02"].mean()


def test_another_seed_gives_another_log(log: pd.DataFrame) -> None:
    other = make_log(seed=2)
    assert not other.equals(log)
    assert other.loc[other["month"].ge("2023-01") & other["tier"].ne("universal"), "referrals"].sum() == 1005


def test_a_rebuild_of_the_bundled_data_keeps_its_note(tmp_path: Path) -> None:
    bundled = resources.files("forecast.reference").joinpath("data", "sources.json").read_text(encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sources.json").write_text(bundled, encoding="utf-8")
    release(tmp_path / "downloads", caseload=summed("202324", 5, 4, 3))
    build(tmp_path / "downloads", out=tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "sources.json").read_text(encoding="utf-8"))
    assert kept["slt_referrals"] == json.loads(bundled)["slt_referrals"]
    assert kept["ehc"] != json.loads(bundled)["ehc"]
