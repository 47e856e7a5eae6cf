from datetime import date
from pathlib import Path

import pytest

from forecast.errors import SpecError
from forecast.speech_language.norms import NORMS
from jobs.config import load_config
from jobs.init import config_for, write_config

YORKSHIRE = "Yorkshire and The Humber"
TODAY = date(2025, 3, 1)


@pytest.mark.parametrize(
    ("asked", "file", "areas"),
    [
        ("Leeds", "leeds.yaml", ("Leeds", YORKSHIRE, "England")),
        ("E08000007", "stockport.yaml", ("Stockport", "North West", "England")),
        ("Hull", "kingston-upon-hull-city-of.yaml", ("Kingston upon Hull, City of", YORKSHIRE, "England")),
        ("St Helens", "st-helens.yaml", ("St. Helens", "North West", "England")),
    ],
)  # fmt: skip
def test_a_written_config_loads_and_names_area_region_and_england(tmp_path, asked, file, areas):
    written = write_config(asked, tmp_path / "new", as_of=None, dry_run=False)
    assert written == tmp_path / "new" / file
    config = load_config(written, today=TODAY)
    assert config.name == written.stem
    assert config.as_of == TODAY
    assert [target.areas for target in config.targets] == [areas]
    assert config.targets[0].measures == ("requests", "new_plans", "caseload")
    assert not config.publish.after_run
    assert config.title == f"EHC plans in {areas[0]}"


def test_a_given_as_of_is_pinned(tmp_path):
    written = write_config("Leeds", tmp_path, as_of=date(2024, 7, 1), dry_run=False)
    assert load_config(written, today=TODAY).as_of == date(2024, 7, 1)


def test_the_example_of_a_local_table_loads_when_its_marks_are_taken_away(tmp_path):
    lines = config_for("Leeds", as_of=None).splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip() in ("# own:", "# - name: own")]
    assert len(starts) == 2
    for start in starts:
        number = start
        while lines[number].startswith("  # "):
            lines[number] = "  " + lines[number].removeprefix("  # ")
            number += 1
    file = tmp_path / "leeds.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    config = load_config(file, today=TODAY)
    assert config.data["own"].source == "table"
    assert config.targets[1].measures == (config.data["own"].measure,)


def test_every_line_fits_a_screen():
    assert max(map(len, config_for("Bournemouth, Christchurch and Poole", as_of=None).splitlines())) <= 115


def test_an_existing_file_is_never_overwritten(tmp_path):
    (tmp_path / "leeds.yaml").write_text("mine", encoding="utf-8")
    for dry_run in (True, False):
        with pytest.raises(SpecError, match=r"exists already and is not overwritten\. Use it, or rename it"):
            write_config("Leeds", tmp_path, as_of=None, dry_run=dry_run)
    assert (tmp_path / "leeds.yaml").read_text(encoding="utf-8") == "mine"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    (tmp_path / "leeds.yaml").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(SpecError, match="not overwritten"):
        write_config("Leeds", tmp_path, as_of=None, dry_run=False)
    assert (tmp_path / "leeds.yaml").read_text(encoding="utf-8") == "mine"


def test_a_dry_run_names_the_file_and_writes_nothing(tmp_path):
    folder = tmp_path / "new"
    assert write_config("Leeds", folder, as_of=None, dry_run=True) == folder / "leeds.yaml"
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_refused_with_the_next_step(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match=r"cannot be written .*Give a folder you may write to"):
        write_config("Leeds", tmp_path / "file" / "below", as_of=None, dry_run=False)


def test_an_unknown_name_lists_the_nearest(tmp_path):
    with pytest.raises(SpecError, match="Leeds"):
        write_config("Leads", tmp_path, as_of=None, dry_run=False)


@pytest.mark.parametrize(
    ("asked", "last", "instead"),
    [
        ("Cumbria", 2023, "Cumberland or Westmorland and Furness, new in North West since"),
        ("928", 2021, "North Northamptonshire or West Northamptonshire, new in East Midlands since"),
        ("Poole", 2019, "Bournemouth, Christchurch and Poole, new in South West since"),
    ],
)
def test_an_area_that_no_longer_exists_is_refused_with_what_came_in_its_place(tmp_path, asked, last, instead):
    with pytest.raises(SpecError) as caught:
        write_config(asked, tmp_path, as_of=None, dry_run=False)
    said = str(caught.value)
    assert f"which no longer exists; its last figures are of {last}. Name {instead}." in said
    assert not list(tmp_path.iterdir())


def test_a_code_that_was_replaced_still_gets_the_config_of_its_area():
    assert "Buckinghamshire" in config_for("E10000002", as_of=None)


@pytest.mark.parametrize("asked", ["North West", "England"])
def test_only_a_local_authority_gets_a_config(asked):
    with pytest.raises(SpecError, match="Name a local authority"):
        config_for(asked, as_of=None)


def test_the_example_of_a_service_asks_for_every_norm_and_loads_when_it_is_filled_in(tmp_path):
    lines = config_for("Leeds", as_of=None).splitlines()
    start = lines.index("# speech_language:")
    (stop,) = [number for number, line in enumerate(lines) if line.startswith("# MLflow keeps")]
    lines[start:stop] = [line.removeprefix("# ").removeprefix("#") for line in lines[start:stop]]
    (slt,) = [number for number, line in enumerate(lines) if line.startswith("  # slt: {")]
    lines[slt] = lines[slt].replace("# ", "")
    text = "\n".join(lines)
    for name, kind in NORMS.items():
        asked = f"    {name}: {{value: , source: }}"
        assert asked in text
        figure = "{slcn: 0.9, asd: 0.4}" if kind.by == "need" else 150 if kind.low > 1 else 0.5
        text = text.replace(asked, f"    {name}: {{value: {figure}, source: ours}}")
    file = tmp_path / "leeds.yaml"
    file.write_text(text, encoding="utf-8")
    section = load_config(file, today=TODAY).speech_language
    assert (section.ehc_area, section.months, section.referrals) == ("Leeds", 48, None)
    assert {norm.source for norm in section.norms.values()} == {"ours"}
