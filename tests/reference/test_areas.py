"""Names people use for areas, retired codes, and statistical neighbours."""

import pytest

from forecast import reference
from forecast.errors import SpecError
from forecast.reference import find_area, neighbours


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Stockport", "E08000007"),
        ("  stockport council ", "E08000007"),
        ("E08000007", "E08000007"),
        ("e08000007", "E08000007"),
        ("356", "E08000007"),
        ("Durham", "E06000047"),
        ("County Durham", "E06000047"),
        ("St Helens", "E08000013"),
        ("St. Helens", "E08000013"),
        ("Hull", "E06000010"),
        ("Kingston Upon Hull, City of", "E06000010"),
        ("Bedford Borough", "E06000055"),
        ("Herefordshire", "E06000019"),
        ("Bristol", "E06000023"),
        ("Telford & Wrekin", "E06000020"),
        ("Southend on Sea", "E06000033"),
        ("London Borough of Camden", "E09000007"),
        ("City of London", "E09000001"),
        ("London", "E12000007"),
        ("North West", "E12000002"),
        ("England", "E92000001"),
        ("E10000002", "E06000060"),
        ("835", "E06000059"),
        ("Nottingham", "E06000018"),
        ("Nottinghamshire", "E10000024"),
    ],
)
def test_an_area_is_found_by_what_people_call_it(text, code):
    assert find_area(text).code == code


def test_what_is_known_of_an_area():
    area = find_area("Stockport")
    assert (area.name, area.geographic_level, area.region_name, area.old_la_code, area.current) == (
        "Stockport",
        "local_authority",
        "North West",
        "356",
        True,
    )
    assert not find_area("Cumbria").current
    assert find_area("England").region_code == ""


def test_an_unknown_area_lists_the_nearest_names():
    with pytest.raises(SpecError, match=r"'Stokport'.*did you mean Stockport, Stoke-on-Trent, Somerset\?$"):
        find_area("Stokport")
    with pytest.raises(SpecError, match="give a name or code"):
        find_area("qqqq")


def test_every_current_authority_has_ten_neighbours_that_are_current():
    table = reference.areas()
    current = table[table["geographic_level"].eq("local_authority") & table["last"].eq(table["last"].max())]
    codes = set(current["area_code"])
    assert len(codes) == 153
    for code in codes:
        found = neighbours(code)
        assert len(set(found)) == 10
        assert code not in found
        assert set(found) <= codes


def test_neighbours_of_stockport():
    names = [find_area(code).name for code in neighbours("Stockport")]
    assert names[:3] == ["Solihull", "Trafford", "Cheshire West and Chester"]
    assert neighbours("E08000007") == neighbours("356")


@pytest.mark.parametrize("area", ["England", "North West", "Cumbria"])
def test_only_authorities_of_today_have_neighbours(area):
    with pytest.raises(SpecError, match="has no statistical neighbours"):
        neighbours(area)


def test_the_table_of_areas():
    table = reference.areas()
    assert not table["area_code"].duplicated().any()
    assert table["geographic_level"].value_counts().to_dict() == {"local_authority": 157, "region": 9, "national": 1}
    table.loc[0, "area_name"] = "changed"
    assert reference.areas().loc[0, "area_name"] != "changed"
