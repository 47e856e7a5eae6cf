import json

import pandas as pd
import pytest

from forecast.errors import InputError, PublishRefused
from forecast.publish.ehc.run import AreaFigures, Figure
from forecast.publish.run import read_run
from jobs.release import publish
from tests.publish.ehc.frame import BANDS, CASELOAD, ehc_frame, write_ehc
from tests.run_folder import write_run


def test_a_run_without_the_section_has_none(tmp_path):
    assert read_run(write_run(tmp_path / "run")).ehc is None


def test_the_projection_is_read_with_what_was_assumed(tmp_path):
    ehc = read_run(write_ehc(tmp_path / "run")).ehc
    assert [area.name for area in ehc.areas] == ["Stockport"]
    assert ehc.until == 2035
    assert ehc.overrides[0]["what"] == "refusal"
    assert ehc.baseline is not None
    assert list(ehc.tables) == ["lsrp", "scap_primary", "scap_secondary"]
    assert not ehc.synthetic


def test_without_overrides_there_is_no_baseline(tmp_path):
    assert read_run(write_ehc(tmp_path / "run", overrides=False)).ehc.baseline is None


def test_a_local_source_is_refused_by_the_gate(tmp_path):
    folder = write_ehc(tmp_path / "run", ehc_provenance="local")
    assert "local" in read_run(folder).provenance
    with pytest.raises(PublishRefused, match="local"):
        publish(folder, tmp_path / "releases", now=pd.Timestamp("2024-11-24"))


@pytest.mark.parametrize("name", ["ehc.parquet", "ehc_baseline.parquet"])
def test_a_table_that_is_cut_or_lacks_a_column_is_refused_by_name(tmp_path, name):
    folder = write_ehc(tmp_path / "run")
    pd.read_parquet(folder / name).drop(columns="status").to_parquet(folder / name)
    with pytest.raises(InputError, match=f"{name}: column 'status' is missing"):
        read_run(folder)
    (folder / name).write_bytes(b"PAR1")
    with pytest.raises(InputError, match=f"{name}: not readable"):
        read_run(folder)


def test_a_missing_table_or_key_is_refused(tmp_path):
    folder = write_ehc(tmp_path / "run")
    (folder / "ehc.parquet").unlink()
    with pytest.raises(InputError, match=r"ehc\.parquet: missing"):
        read_run(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["ehc"]["notes"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match=r"'ehc\.notes' is missing"):
        read_run(folder)


def test_figures_are_found_by_measure_breakdown_and_year():
    area = AreaFigures(ehc_frame(), "E08000007")
    assert area.at("caseload", 2024) == Figure(3115.0, 3115.0, *[pytest.approx(float("nan"), nan_ok=True)] * 2, True)
    assert area.at("caseload", 1999) is None
    assert area.categories("requests", "age_band")[:2] == ("Under 5", "5 to 10")
    assert area.years("caseload", published=True) == tuple(CASELOAD)
    assert area.modelled("caseload", "need")
    assert not area.modelled("caseload", "age_band")
    assert not len(area.series("nothing"))
    assert len(area.series("requests", freq="MS")) == 48


def test_categories_are_in_the_order_of_the_projection_whatever_that_of_the_published():
    frame = ehc_frame()
    published = frame["status"].eq("published")
    mixed = pd.concat([frame[published].iloc[::-1], frame[~published]])
    assert AreaFigures(mixed, "E08000007").categories("caseload", "age_band") == tuple(BANDS)


def test_a_figure_that_is_not_a_number_is_none():
    frame = ehc_frame()
    gone = frame["measure"].eq("timeliness_20_week") & frame["ds"].eq("2030-01-01")
    frame.loc[gone, "median"] = float("nan")
    assert AreaFigures(frame, "E08000007").at("timeliness_20_week", 2030) is None
