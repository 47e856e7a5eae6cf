"""Share of pupils with a plan: codes joined, what is not published left out, each fault named."""

import pytest

from forecast import reference
from forecast.errors import InputError
from forecast.sources import sen2_pupils

CODES = {"901": "E06000091", "801": "E06000091", "902": "E06000092", "north": "E12000001"}
HEADER = "la_name,old_la_code,region,january,pupils_with_plan_pc"


def read(folder, *rows, header=HEADER):
    path = folder / "pupils.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return sen2_pupils.read(path, codes=CODES)


def test_old_numbers_go_under_the_latest_code_and_regions_by_name(tmp_path):
    frame = read(
        tmp_path,
        "Alder (old),801,N,2019,3.4",
        "Alder (old),801,N,2020,-",
        "Alder,901,N,2019,-",
        "Alder,901,N,2020,3.7",
        "NORTH,980,NA,2020,4",
        "North (inner),987,NA,2020,-",
    )
    assert frame.to_numpy().tolist() == [["E06000091", 2019, 3.4], ["E06000091", 2020, 3.7], ["E12000001", 2020, 4.0]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Elm,999,N,2020,3", r"line 2, column 'old_la_code': '999' \('Elm'\) is not an area"),
        ("Alder,901,N,20/21,3", "line 2, column 'january'"),
        ("Alder,901,N,2020,103", "line 2, column 'pupils_with_plan_pc'"),
        ("Alder,901,N,2020,3 %", "a percentage from 0 to 100"),
    ],
)
def test_a_cell_that_is_not_readable_is_named(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, row)


def test_two_shares_of_an_area_and_january_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"line 3: 'Alder' \(E06000091\) January 2020 has a share in line 2"):
        read(tmp_path, "Alder (old),801,N,2020,3.4", "Alder,901,N,2020,3.7")


def test_a_missing_column_is_refused(tmp_path):
    with pytest.raises(InputError, match="no column 'january'"):
        read(tmp_path, "Alder,901,N,2020,3.7", header=HEADER.replace("january", "year"))


def test_facts_of_the_bundled_shares():
    pupils = reference.pupils_with_plan()
    by_area = {code: rows.set_index("year")["percent"].to_dict() for code, rows in pupils.groupby("area_code")}
    assert by_area["E08000007"] == dict(
        zip(range(2016, 2025), [3.9, 3.9, 3.9, 4.0, 4.1, 4.4, 4.7, 5.0, 5.3], strict=True)
    )
    assert (by_area["E92000001"][2016], by_area["E92000001"][2024]) == (2.8, 4.8)
    assert list(by_area["E06000059"]) == list(range(2016, 2025))  # Dorset, under two DfE numbers
    assert list(by_area["E06000061"]) == [2022, 2023, 2024]  # North Northamptonshire
    known = set(reference.areas()["area_code"])
    assert set(by_area) <= known
    assert len(set(by_area) - set(reference.area_codes()["retired_code"])) == len(by_area)
    assert not pupils.duplicated(["area_code", "year"]).any()
    assert pupils["percent"].between(0.2, 10).all()
    pupils.loc[0, "percent"] = -1.0
    assert reference.pupils_with_plan()["percent"].min() > 0
