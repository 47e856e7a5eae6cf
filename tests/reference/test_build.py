"""Rebuilding the bundled data from a folder of downloads."""

import csv
import json
import zipfile

import openpyxl
import pandas as pd
import pytest

from forecast import reference
from forecast.errors import InputError
from forecast.reference.build import build, main
from forecast.sources import nhs_waiting_list
from tests.sources.sen2_samples import old_release, release, summed

PROJECTION = (
    "AREA_CODE,AREA_NAME,COMPONENT,SEX,AGE_GROUP,2022,2023\n"
    "E06000091,Alder,Population,persons,0,100.5,99.5\n"
    "E06000091,Alder,Population,persons,1,101,100\n"
)


@pytest.fixture
def downloads(tmp_path):
    """Two releases, one zipped, and a projection, under names of no importance."""
    folder = tmp_path / "downloads"
    old_release(folder / "b", summed("2021", 40, 30, 20))
    new = release(tmp_path / "new", caseload=summed("202122", 50, 40, 30), newplans=summed("2021", 9, 8, 7))
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for path in sorted(new.iterdir()):
            archive.write(path, f"data/{path.name}")
    (folder / "c").mkdir()
    (folder / "c" / "p.csv").write_text(PROJECTION, encoding="utf-8-sig")
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_downloads_give_the_same_bytes(downloads, tmp_path):
    lines = build(downloads, out=tmp_path / "one")
    assert build(downloads, out=tmp_path / "two") == lines
    first = contents(tmp_path / "one")
    assert first == contents(tmp_path / "two")
    build(downloads, out=tmp_path / "one")
    assert first == contents(tmp_path / "one")
    assert set(first) == {
        "area_codes.csv",
        "areas.csv",
        "ehc.parquet",
        "ehc_breakdowns.parquet",
        "population.parquet",
        "sources.json",
    }


def test_releases_are_found_by_content_and_joined(downloads, tmp_path):
    lines = build(downloads, out=tmp_path / "out")
    ehc = pd.read_parquet(tmp_path / "out" / "ehc.parquet")
    england = ehc[ehc["area_name"].eq("England") & ehc["measure"].eq("caseload")]
    assert england["y"].tolist() == [90, 120]
    index = json.loads((tmp_path / "out" / "sources.json").read_text(encoding="utf-8"))
    assert [s["id"] for s in index["ehc"]["sources"]] == ["dfe-ehc-2021", "dfe-ehc-2022"]
    assert index["population"]["sources"][0]["licence"] == "Open Government Licence v3.0"
    assert any("slt_waiting: no NHS England workbooks found" in line for line in lines)
    assert any("neighbours: no table" in line for line in lines)
    assert any("pupils_with_plan: no table" in line for line in lines)


def test_breakdowns_are_read_with_the_totals(downloads, tmp_path):
    text = (downloads / "b" / "sen2_age_caseload.csv").read_text(encoding="utf-8-sig")
    bands = [text.rstrip("\n"), *(row.replace("Total", "Under 5") for row in text.split("\n")[1:] if row)]
    (downloads / "b" / "sen2_age_caseload.csv").write_text("\n".join(bands) + "\n", encoding="utf-8-sig")
    build(downloads, out=tmp_path / "out")
    cut = pd.read_parquet(tmp_path / "out" / "ehc_breakdowns.parquet")
    assert set(cut["age"]) == {"0-4"}
    assert cut["y"].sum() == 2 * 90 + 90
    index = json.loads((tmp_path / "out" / "sources.json").read_text(encoding="utf-8"))
    assert [note["id"] for note in index["ehc_breakdowns"]["sources"]] == ["dfe-ehc-2021", "dfe-ehc-2022"]
    assert any("no rows by age" in warning for warning in index["ehc_breakdowns"]["warnings"])


def test_pupils_are_found_by_their_header_and_put_under_area_codes(downloads, tmp_path):
    rows = ["la_name,old_la_code,january,pupils_with_plan_pc", "Alder,901,2024,4.5", "NORTH,980,2024,4.2"]
    (downloads / "any.csv").write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    build(downloads, out=tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "pupils_with_plan.parquet")
    assert table.to_numpy().tolist() == [["E06000091", 2024, 4.5], ["E12000001", 2024, 4.2]]
    index = json.loads((tmp_path / "out" / "sources.json").read_text(encoding="utf-8"))
    assert index["pupils_with_plan"]["sources"][0]["released"] == "2024"


def test_a_folder_as_downloaded_is_one_release(tmp_path):
    release(tmp_path / "all" / "2024" / "data", caseload=summed("202324", 5, 4, 3))
    build(tmp_path / "all", out=tmp_path / "out")
    assert pd.read_parquet(tmp_path / "out" / "ehc.parquet")["y"].sum() == 36


def test_workbooks_are_told_apart_by_their_sheets(downloads, tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.save(downloads / "c" / "notes.xlsx")
    (downloads / "c" / "~$open.xlsx").write_bytes(b"lock file of a spreadsheet program")
    assert any("no NHS England workbooks" in line for line in build(downloads, out=tmp_path / "out"))
    book.active.title = "Table 4"
    book.save(downloads / "c" / "lists.xlsx")
    with pytest.raises(InputError, match="lists"):
        build(downloads, out=tmp_path / "out")
    (downloads / "c" / "lists.xlsx").write_bytes(b"PK cut short")
    with pytest.raises(InputError, match="lists"):
        build(downloads, out=tmp_path / "out")


def test_waiting_lists_are_handed_to_their_reader(downloads, tmp_path, monkeypatch):
    book = openpyxl.Workbook()
    book.active.title = "Table 4"
    for name in ("b.xlsx", "a.xlsx"):
        book.save(downloads / "c" / name)
    asked = []
    monkeypatch.setattr(nhs_waiting_list, "read", lambda paths: asked.extend(paths) or reference.slt_waiting())
    build(downloads, out=tmp_path / "out")
    assert [path.name for path in asked] == ["a.xlsx", "b.xlsx"]
    written = pd.read_parquet(tmp_path / "out" / "slt_waiting.parquet")
    assert written["y"].sum() == reference.slt_waiting().observations["y"].sum()


def neighbour_table(path, *, wrong="", rows=10):
    names = ["Alder", "Birch", "Cedar"]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        for rank in range(rows):
            writer.writerow([wrong if wrong and rank == 3 else "birch", "The Borough of Cedar", "City of Alder"])


def test_neighbours_are_read_by_name(downloads, tmp_path):
    neighbour_table(downloads / "b" / "any.csv")
    build(downloads, out=tmp_path / "out")
    index = json.loads((tmp_path / "out" / "sources.json").read_text(encoding="utf-8"))
    assert index["neighbours"]["sources"][0]["released"] == "2021"
    assert index["population"]["sources"][0]["title"].endswith("2022-based")
    table = pd.read_csv(tmp_path / "out" / "neighbours.csv")
    assert len(table) == 30
    assert set(zip(table["area_code"], table["neighbour_code"], strict=True)) == {
        ("E06000091", "E06000092"),
        ("E06000092", "E06000093"),
        ("E06000093", "E06000091"),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [({"wrong": "Atlantis"}, "column 'Alder', neighbour 4: 'Atlantis'"), ({"rows": 9}, "9 neighbours an area; 10")],
)
def test_a_wrong_neighbour_table_is_refused(downloads, tmp_path, change, message):
    neighbour_table(downloads / "any.csv", **change)
    with pytest.raises(InputError, match=message):
        build(downloads, out=tmp_path / "out")


def test_the_command_says_what_it_wrote_or_why_it_refused(downloads, tmp_path, capsys):
    assert main([str(downloads), "--out", str(tmp_path / "out")]) == 0
    assert "ehc.parquet: " in capsys.readouterr().out
    (tmp_path / "none").mkdir()
    assert main([str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 4
    assert "holds no release" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 4
    assert "no such folder" in capsys.readouterr().err


def test_the_bundle_is_small_and_names_its_sources():
    from importlib import resources

    data = resources.files("forecast.reference").joinpath("data")
    sizes = {entry.name: len(entry.read_bytes()) for entry in data.iterdir()}
    assert sum(sizes.values()) < 1_500_000
    notice = data.joinpath("NOTICE").read_text(encoding="utf-8")
    assert "Open Government Licence v3.0" in " ".join(notice.split())
    for name in sizes.keys() - {"NOTICE", "sources.json"}:
        assert name in notice
    for dataset in ("ehc", "ehc_breakdowns", "pupils_with_plan", "slt_waiting", "population", "neighbours"):
        assert reference.sources(dataset)
        for note in reference.sources(dataset):
            assert len(note.digest) == 64
            assert note.publisher
            assert note.provenance == "published"


def test_bundled_frames_are_copies():
    ehc, people = reference.ehc().observations, reference.population()
    ehc.loc[0, "y"] = -1.0
    people.loc[0, "persons"] = -1.0
    assert reference.ehc().observations["y"].min() == 0
    assert reference.population()["persons"].min() > 0


def test_past_errors_are_of_requests_and_caseload_and_say_how_they_were_measured():
    errors = reference.ehc_accuracy()
    assert list(errors.columns) == [
        *("measure", "horizon", "origins", "wape", "coverage_80", "first_origin", "last_origin", "command")
    ]
    assert errors.groupby("measure")["horizon"].apply(list).to_dict() == {"requests": [1, 2, 3], "caseload": [1, 3, 5]}
    assert (errors["last_origin"] - errors["first_origin"] + 1 == errors["origins"]).all()
    # An outcome for every origin: requests of 2023 and the caseload of January 2024 are the last.
    last = errors["measure"].map({"requests": 2023, "caseload": 2024})
    assert (errors["last_origin"] + errors["horizon"]).eq(last).all()
    assert errors["wape"].between(0, 100).all()
    assert errors["command"].eq("python -m experiments.la_accuracy").all()
    errors.loc[0, "wape"] = -1.0
    assert reference.ehc_accuracy()["wape"].min() > 0


def test_the_other_bundled_data():
    people = reference.population()
    stockport = people[people["area_code"].eq("E08000007") & people["year"].eq(2022)]
    assert sorted(stockport["age"]) == list(range(26))
    waiting = reference.slt_waiting().observations
    total = waiting[waiting["measure"].eq("slt_waiting") & waiting["geographic_level"].eq("national")]
    assert total.sort_values("ds")["y"].tolist() == [67774, 65871, 73316, 72776, 72168, 72071, 68352, 61739, 65057]


def test_data_that_is_not_bundled_says_how_to_build_it():
    with pytest.raises(InputError, match=r"no_such\.parquet: not among the bundled data\. Build it"):
        reference._parquet("no_such.parquet")
