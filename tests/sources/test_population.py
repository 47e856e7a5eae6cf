"""The ONS layout, made small."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.errors import InputError
from forecast.sources import population

HEADER = "AREA_CODE,AREA_NAME,COMPONENT,SEX,AGE_GROUP,2022,2023"
GOOD = [
    HEADER,
    "E08000007,Stockport,Population,persons,0,3092.000,2997.168",
    "E08000007,Stockport,Population,persons,1,3215.000,3140.404",
    "E08000007,Stockport,Population,persons,90 and over,2700.5,2750",
    "E08000007,Stockport,Population,persons,All ages,9007.5,8887.572",
    "E08000007,Stockport,Births,persons,All ages,3000,3010",
]


def write(tmp_path: Path, lines: list[str], *, prefix: bytes = b"") -> Path:
    path = tmp_path / "snpp.csv"
    path.write_bytes(prefix + ("\r\n".join(lines) + "\r\n").encode())
    return path


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
def test_single_ages_by_year(tmp_path: Path, prefix: bytes) -> None:
    frame = population.read(write(tmp_path, GOOD, prefix=prefix))
    assert list(frame.columns) == ["area_code", "area_name", "sex", "age", "year", "persons", "january"]
    assert frame["age"].tolist() == [0, 0, 1, 1, 90, 90]
    assert frame.loc[(frame["age"] == 0) & (frame["year"] == 2023), "persons"].tolist() == [2997.168]
    assert (frame["january"] == frame["year"] + 1).all()


def test_ages_sum_to_the_published_all_ages(tmp_path: Path) -> None:
    totals = population.read(write(tmp_path, GOOD)).groupby("year")["persons"].sum()
    assert totals.to_dict() == pytest.approx({2022: 9007.5, 2023: 8887.572})


BAD = {
    "missing column": ([HEADER.replace("AGE_GROUP", "AGE_GRP"), *GOOD[1:]], ["'AGE_GROUP'", "did you mean 'AGE_GRP'?"]),
    "no years": (
        [HEADER.removesuffix(",2022,2023"), "E08000007,Stockport,Population,persons,0"],
        ["2022", "5 columns"],
    ),
    "year twice": ([HEADER.replace("2023", "2022"), *GOOD[1:]], ["'2022'", "more than once"]),
    "age band": ([*GOOD, "E08000007,Stockport,Population,persons,0-4,1,2"], ["line 7", "'AGE_GROUP'", "'0-4'"]),
    "sex": ([*GOOD, "E08000007,Stockport,Population,girls,3,1,2"], ["line 7", "'SEX'", "'girls'", "'persons'"]),
    "repeat": ([*GOOD, GOOD[2]], ["line 7", "line 3", "E08000007"]),
    "blank count": ([*GOOD, "E08000007,Stockport,Population,persons,3,,2"], ["line 7", "'2022'", "''"]),
    "negative": ([*GOOD, "E08000007,Stockport,Population,persons,3,-5,2"], ["line 7", "'2022'", "'-5'"]),
    "text": ([*GOOD, "E08000007,Stockport,Population,persons,3,5,many"], ["line 7", "'2023'", "'many'"]),
    "extra field": ([*GOOD, "E08000007,Stockport,Population,persons,3,5,6,7"], ["line 7", "8 fields", "header has 7"]),
    "header only": ([HEADER], ["no row", "'Population'"]),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_place_value_and_next_step(tmp_path: Path, name: str) -> None:
    lines, said = BAD[name]
    with pytest.raises(InputError) as caught:
        population.read(write(tmp_path, lines))
    message = str(caught.value)
    assert "\n" not in message
    for part in ["snpp.csv", *said]:
        assert part in message
    assert any(step in message for step in ("Download the projection again", "same number of fields"))


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "snpp.csv"
    path.write_bytes("\n".join([HEADER, "W06000001,Ynys Môn,Population,persons,0,1,2"]).encode("cp1252"))
    with pytest.raises(InputError, match=r"line 2: byte 0xf4 .*Set encoding: cp1252"):
        population.read(path)
    assert population.read(path, encoding="cp1252")["area_name"].unique().tolist() == ["Ynys Môn"]
