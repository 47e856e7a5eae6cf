"""English local authorities, regions and the nation: codes, names people use, statistical neighbours."""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pandas as pd

from forecast.errors import SpecError

# Names in use that neither the official name nor dropping words such as "City of" leads to.
OTHER_NAMES = {
    "Hull": "Kingston upon Hull, City of",
    "BCP": "Bournemouth, Christchurch and Poole",
    "BANES": "Bath and North East Somerset",
    "Scilly": "Isles of Scilly",
    "Southend": "Southend-on-Sea",
    "Stoke": "Stoke-on-Trent",
    "Stockton": "Stockton-on-Tees",
    "Newcastle": "Newcastle upon Tyne",
    "Telford": "Telford and Wrekin",
}
_FILLER = {"city", "county", "council", "borough", "metropolitan", "royal", "of", "the", "mbc", "district", "lb", "rb"}


@dataclass(frozen=True)
class Area:
    """One area under its latest code.

    Attributes
    ----------
    code : str
        ONS code, such as `E08000007`.
    name : str
    geographic_level : {"local_authority", "region", "national"}
    region_code, region_name : str
        "" for England.
    old_la_code : str
        Three-digit DfE number of a local authority, otherwise "".
    current : bool
        False for an authority that was abolished (merged or split).
    """

    code: str
    name: str
    geographic_level: str
    region_code: str
    region_name: str
    old_la_code: str
    current: bool


def _records(name: str) -> list[dict[str, str]]:
    path = resources.files("forecast.reference").joinpath("data", name)
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@cache
def _areas() -> pd.DataFrame:
    return pd.DataFrame(_records("areas.csv")).astype({"first": int, "last": int})


def areas() -> pd.DataFrame:
    """List every area that has figures.

    Returns
    -------
    DataFrame
        area_code, area_name, region_code, region_name, geographic_level, old_la_code, first, last (the first
        and last year with figures). Source: Department for Education, Open Government Licence v3.0.
    """
    return _areas().copy()


def area_codes() -> pd.DataFrame:
    """List the retired codes that were joined to a later one.

    Returns
    -------
    DataFrame
        retired_code, old_la_code, area_code (the latest), kind ("re-coded" or "boundary_change"), evidence.
    """
    return pd.DataFrame(_records("area_codes.csv"))


def spelled(text: str) -> str:
    """Spelling used to compare names: lower case, no punctuation, "and" and "saint" written one way.

    >>> spelled("St. Helens") == spelled("Saint  Helens")
    True
    """
    plain = re.sub(r"[^a-z0-9 ]", "", text.casefold().replace("&", " and ").replace("-", " "))
    return " ".join("st" if word == "saint" else word for word in plain.split())


def core(text: str) -> str:
    """Name without words such as "City of" and "Borough".

    >>> core("Bristol, City of") == core("Bristol City Council")
    True
    """
    plain = spelled(text).removeprefix("london borough of ")
    return " ".join(word for word in plain.split() if word not in _FILLER)


def name_index(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Codes by every spelling of a name that leads to one area only; exact spellings come first."""
    pairs = list(names)
    exact = {spelled(name): code for name, code in pairs}
    cores = Counter(core(name) for name in {spelled(n) for n, _ in pairs})
    loose = {core(name): code for name, code in pairs if cores[core(name)] == 1}
    other = {spelled(name): exact[spelled(full)] for name, full in OTHER_NAMES.items() if spelled(full) in exact}
    return loose | other | exact


@cache
def _lookup() -> tuple[dict[str, str], dict[str, Area]]:
    records = _records("areas.csv")
    latest = max(int(row["last"]) for row in records)
    known = {
        row["area_code"]: Area(
            code=row["area_code"],
            name=row["area_name"],
            geographic_level=row["geographic_level"],
            region_code=row["region_code"],
            region_name=row["region_name"],
            old_la_code=row["old_la_code"],
            current=int(row["last"]) == latest,
        )
        for row in records
    }
    codes = {code.casefold(): code for code in known}
    codes |= {area.old_la_code: area.code for area in known.values() if area.old_la_code}
    for row in _records("area_codes.csv"):
        codes |= {row["retired_code"].casefold(): row["area_code"], row["old_la_code"]: row["area_code"]}
    return name_index((area.name, area.code) for area in known.values()) | codes, known


def find_area(text: str) -> Area:
    """Find an area by name, alias, ONS code (retired ones too) or three-digit DfE number.

    >>> find_area("Stockport").code, find_area("356").name, find_area("Durham").name
    ('E08000007', 'Stockport', 'County Durham')

    Raises
    ------
    SpecError
        If there is no such area; the message lists the nearest names.
    """
    index, known = _lookup()
    code = index.get(text.strip().casefold()) or index.get(spelled(text)) or index.get(core(text))
    if code is not None:
        return known[code]
    names = {spelled(area.name): area.name for area in known.values()}
    near = difflib.get_close_matches(spelled(text), names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(names[n] for n in near)}?" if near else "give a name or code as in DfE's tables."
    raise SpecError(f"area '{text}': not a known local authority, region or code; {hint}")


@cache
def _neighbours() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _records("neighbours.csv"):
        code, neighbour = (find_area(row[column]).code for column in ("area_code", "neighbour_code"))
        found[code] = (*found.get(code, ()), neighbour)
    return found


def neighbours(area: str) -> tuple[str, ...]:
    """Codes of the ten statistical neighbours of a local authority, nearest first.

    Parameters
    ----------
    area : str
        Code or name. Source: Department for Education, Open Government Licence v3.0.

    Raises
    ------
    SpecError
        If the area is unknown or has no neighbours (regions, England, abolished authorities).
    """
    found = find_area(area)
    if found.code not in _neighbours():
        raise SpecError(
            f"area '{found.name}' ({found.code}): has no statistical neighbours; only today's local authorities have. "
            "Give a local authority."
        )
    return _neighbours()[found.code]
