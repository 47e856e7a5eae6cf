"""Rebuild the bundled data from a folder of downloads: `python -m forecast.reference.build FOLDER`.

The folder is searched by content, not by name: every folder or zip in it that holds tables of DfE's release
is a release, every workbook with a waiting list is NHS England's, and so on. The same folder gives the same
bytes. What the folder does not hold is left as it is bundled.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from forecast.errors import InputError, SendForecastError
from forecast.reference.areas import core, name_index, spelled
from forecast.sources import sen2_areas, sen2_breakdowns, sen2_pupils, sen2_release
from forecast.sources.observations import SourceNote, digest_files
from forecast.sources.sen2_files import find_releases, release_files, rows
from forecast.sources.sen2_schema import fold, table_files
from forecast.sources.text import open_workbook, shown

DATA = Path(__file__).parent / "data"
NEIGHBOURS = 10
_PROJECTION = ("AREA_CODE", "COMPONENT", "AGE_GROUP")


def build(folder: Path, *, out: Path) -> list[str]:
    """Rebuild what a folder holds the downloads for.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders and zips.
    out : Path
        Folder of the bundled data; made if it is missing.

    Returns
    -------
    list of str
        One line a file written, and what was not found.

    Raises
    ------
    InputError
        If a download is refused, or the folder holds no release.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Give the folder that holds the downloads.")
    out.mkdir(parents=True, exist_ok=True)
    places = [folder, *sorted(p for p in folder.rglob("*") if p.is_dir())]
    index = _read_index(out)
    releases = _releases(places)
    done = [*_ehc(releases, out, index), *_neighbours(places, releases, out, index)]
    done += [*_pupils(places, out, index), *_slt_waiting(places, out, index), *_population(places, out, index)]
    text = json.dumps(index, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (out / "sources.json").write_text(text, encoding="utf-8")
    return done


def _read_index(out: Path) -> dict[str, object]:
    path = out / "sources.json"
    index: dict[str, object] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return index


def _register(
    index: dict[str, object], dataset: str, sources: Iterable[SourceNote], warnings: Iterable[str] = ()
) -> None:
    index[dataset] = {"sources": [asdict(note) for note in sources], "warnings": list(warnings)}


def _write(frame: pd.DataFrame, path: Path) -> str:
    """Write Parquet without what changes from one writing to the next, or from one pandas to another."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    repeating = [c for c in frame.columns if isinstance(frame[c].dtype, pd.StringDtype) or frame[c].dtype == object]
    table = pa.Table.from_pandas(frame.astype(dict.fromkeys(repeating, "category")), preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd", version="2.6")
    return f"{path.name}: {len(frame):,} rows, {path.stat().st_size / 1024:,.0f} kB"


def _write_csv(frame: pd.DataFrame, path: Path) -> str:
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return f"{path.name}: {len(frame):,} rows, {path.stat().st_size / 1024:,.0f} kB"


def _releases(places: Sequence[Path]) -> dict[Path, sen2_release.Release]:
    """Read the releases, by folder or zip."""
    wanted = table_files()
    zips = [p for place in places for p in sorted(place.glob("*.zip")) if release_files(p, wanted)]
    folders = [place for place in places if find_releases(place, wanted) == [place]]
    found = [p for p in (*folders, *zips) if not (fold(p.name) == "data" and p.parent in folders)]
    if not found:
        raise InputError(
            f"{places[0]}: holds no release of DfE's EHC plans (no folder or zip with any of "
            f"{', '.join(sorted(wanted))}). Download one, or name another folder."
        )
    return {place: sen2_release.read_release(place) for place in found}


def _ehc(found: Mapping[Path, sen2_release.Release], out: Path, index: dict[str, object]) -> list[str]:
    releases = list(found.values())
    none = pd.DataFrame(columns=list(sen2_areas.CODE_COLUMNS), dtype=str)
    reading = sen2_release.join(releases, codes=none)
    _register(index, "ehc", reading.sources, reading.warnings)
    codes = sen2_areas.retired_codes(pd.concat([r.raw for r in releases], ignore_index=True))
    cut = sen2_breakdowns.read(found, totals=reading.observations, codes=codes)
    _register(index, "ehc_breakdowns", cut.sources, cut.warnings)
    return [
        _write(reading.observations, out / "ehc.parquet"),
        _write(cut.frame, out / "ehc_breakdowns.parquet"),
        _write_csv(sen2_areas.area_table(sen2_release.stack(releases, codes=none)), out / "areas.csv"),
        _write_csv(codes, out / "area_codes.csv"),
        *reading.warnings,
        *cut.warnings,
    ]


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return next(csv.reader(stream), [])


def _neighbours(
    places: Sequence[Path], releases: Mapping[Path, sen2_release.Release], out: Path, index: dict[str, object]
) -> list[str]:
    """Write the neighbours; the table has no date, so that of the release it lies with is given."""
    years = {place: str(release.year) for place, release in releases.items()}
    table = pd.read_csv(out / "areas.csv", dtype=str, keep_default_na=False)
    local = table[table["geographic_level"].eq("local_authority") & table["last"].eq(table["last"].max())]
    codes = name_index(zip(local["area_name"], local["area_code"], strict=True))
    for path in (p for place in places for p in sorted(place.glob("*.csv"))):
        names = _header(path)
        if len(names) < 2 or sum(_code(name, codes) is not None for name in names) < len(names) / 2:
            continue
        header, lines = rows(path.read_bytes(), path.name)
        ranked = [fields for _, fields in lines][:NEIGHBOURS]
        if len(ranked) < NEIGHBOURS:
            raise InputError(
                f"{path.name}: {len(ranked)} neighbours an area; {NEIGHBOURS} are needed. Download the file again."
            )
        pairs = [
            _pair(path, area, fields[column], codes, rank)
            for column, area in enumerate(header)
            for rank, fields in enumerate(ranked, 1)
        ]
        frame = pd.DataFrame(pairs, columns=["area_code", "rank", "neighbour_code"])
        note = SourceNote(
            id="dfe-neighbours",
            title="Statistical neighbours of local authorities",
            publisher=sen2_release.PUBLISHER,
            licence=sen2_release.LICENCE,
            released=years.get(path.parent, ""),
            provenance="published",
            digest=digest_files([path]),
        )
        _register(index, "neighbours", [note])
        return [_write_csv(frame.sort_values(["area_code", "rank"]), out / "neighbours.csv")]
    return ["neighbours: no table of statistical neighbours found; left as it is"]


def _code(name: str, codes: Mapping[str, str]) -> str | None:
    return codes.get(spelled(name)) or codes.get(core(name))


def _pair(path: Path, area: str, neighbour: str, codes: Mapping[str, str], rank: int) -> tuple[str, int, str]:
    for name in (area, neighbour):
        if _code(name, codes) is None:
            raise InputError(
                f"{path.name}, column {shown(area)}, neighbour {rank}: {shown(name)} is not a local authority of the "
                "release. "
                "Correct the name or add it to OTHER_NAMES in forecast/reference/areas.py."
            )
    return str(_code(area, codes)), rank, str(_code(neighbour, codes))


def _pupils(places: Sequence[Path], out: Path, index: dict[str, object]) -> list[str]:
    found = [p for place in places for p in sorted(place.glob("*.csv")) if set(sen2_pupils.NEEDED) <= set(_header(p))]
    if not found:
        return ["pupils_with_plan: no table of pupils with a plan found; left as it is"]
    areas = pd.read_csv(out / "areas.csv", dtype=str, keep_default_na=False)
    retired = pd.read_csv(out / "area_codes.csv", dtype=str, keep_default_na=False)
    codes = dict(zip(areas["area_name"].map(fold), areas["area_code"], strict=True))
    for table in (retired, areas):
        codes |= dict(zip(table["old_la_code"], table["area_code"], strict=True))
    frame = sen2_pupils.read(found[0], codes=codes)
    note = SourceNote(
        id="dfe-pupils-with-plan",
        title="Pupils with a statement or an EHC plan by local authority",
        publisher=sen2_release.PUBLISHER,
        licence=sen2_release.LICENCE,
        released=str(frame["year"].max()),
        provenance="published",
        digest=digest_files(found[:1]),
    )
    _register(index, "pupils_with_plan", [note])
    return [_write(frame, out / "pupils_with_plan.parquet")]


def _is_waiting_list(path: Path) -> bool:
    if path.suffix.lower() not in (".xlsx", ".xls") or path.name.startswith("~$"):
        return False
    return any(name.strip().casefold().startswith("table") for name in open_workbook(path).sheet_names)


def _slt_waiting(places: Sequence[Path], out: Path, index: dict[str, object]) -> list[str]:
    from forecast.sources import nhs_waiting_list

    found = [p for place in places for p in sorted(place.iterdir()) if _is_waiting_list(p)]
    if not found:
        return ["slt_waiting: no NHS England workbooks found; left as it is"]
    reading = nhs_waiting_list.read(found)
    _register(index, "slt_waiting", reading.sources, reading.warnings)
    return [_write(reading.observations, out / "slt_waiting.parquet"), *reading.warnings]


def _population(places: Sequence[Path], out: Path, index: dict[str, object]) -> list[str]:
    from forecast.sources import population

    tables = [p for place in places for p in sorted(place.glob("*.csv"))]
    found = [p for p in tables if set(_PROJECTION) <= set(_header(p))]
    if not found:
        return ["population: no ONS projection found; left as it is"]
    frame = pd.concat([population.read(path) for path in found], ignore_index=True)
    note = SourceNote(
        id="ons-snpp",
        title=f"Subnational population projections for England, {frame['year'].min()}-based",
        publisher="Office for National Statistics",
        licence=sen2_release.LICENCE,
        released="",
        provenance="published",
        digest=digest_files(found),
    )
    _register(index, "population", [note])
    return [_write(frame, out / "population.parquet")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; exit code 0, or 4 if a download was refused."""
    parser = argparse.ArgumentParser(prog="python -m forecast.reference.build", description="Rebuild the bundled data.")
    parser.add_argument("folder", type=Path, help="folder that holds the downloads")
    parser.add_argument("--out", type=Path, default=DATA, help="folder of the bundled data")
    given = parser.parse_args(arguments)
    try:
        lines = build(given.folder, out=given.out)
    except SendForecastError as error:
        sys.stderr.write(f"{error}\n")
        return 4
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
