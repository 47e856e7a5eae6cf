"""Opening what was downloaded: folders and zips, csv and csv.gz, read as text and never guessed at."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from forecast.errors import InputError
from forecast.sources.sen2_schema import fold
from forecast.sources.text import refuse_data_as_header, shown

_ENDINGS = (".csv.gz", ".csv")


@dataclass(frozen=True)
class File:
    """One csv of a release: the name errors show, its stem, and where its bytes are."""

    label: str
    stem: str
    path: Path
    member: str = ""

    def content(self) -> bytes:
        """Bytes of the csv, unpacked.

        Raises
        ------
        InputError
            If the file cannot be read or is cut short.
        """
        try:
            if self.member:
                with zipfile.ZipFile(self.path) as archive:
                    raw = archive.read(self.member)
            else:
                raw = self.path.read_bytes()
            return gzip.decompress(raw) if self.label.lower().endswith(".gz") else raw
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise InputError(
                f"{self.label}: cannot be unpacked ({error}); the file is damaged or cut short. Download it again."
            ) from error


def _stem(name: str) -> str:
    base = PurePosixPath(name.replace("\\", "/")).name
    ending = next((e for e in _ENDINGS if base.lower().endswith(e)), "")
    return fold(base[: -len(ending)]) if ending else ""


def _zip_members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return [n for n in archive.namelist() if not n.startswith("__MACOSX/") and not n.endswith("/")]
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path.name}: is not a readable zip ({error}); it is damaged or cut short. Download it again."
        ) from error


def release_files(path: Path, stems: Collection[str]) -> list[File]:
    """List the csv files of one release whose names (without ending) are wanted.

    Files lie flat or in `data/`; the other folders of a release hold guidance and are not looked into.
    """
    if path.is_dir():
        places = [path] + [p for p in sorted(path.iterdir()) if p.is_dir() and fold(p.name) == "data"]
        names = sorted(f for place in places for f in place.iterdir() if f.is_file())
        return [File(f.name, _stem(f.name), f) for f in names if _stem(f.name) in stems]
    members = sorted(_zip_members(path))
    return [File(f"{path.name}/{m}", _stem(m), path, m) for m in members if _stem(m) in stems]


def find_releases(path: Path, stems: Collection[str]) -> list[Path]:
    """Find the releases in a place: it may be one (a folder or a zip) or hold several.

    Raises
    ------
    InputError
        If there is no such path.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder. Give the folder or zip of the release as downloaded.")
    if not path.is_dir():
        return [path]
    if release_files(path, stems):
        return [path]
    inside = [p for p in sorted(path.iterdir()) if p.is_dir() or p.suffix.lower() == ".zip"]
    return [p for p in inside if release_files(p, stems)]


def _text(content: bytes, label: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{label} line {line}: byte 0x{content[error.start]:02x} is not UTF-8 (the file may be in cp1252). "
            "Save it as 'CSV UTF-8' or download it again."
        ) from error


def rows(content: bytes, label: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read a csv as text.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a byte order mark.
    label : str
        File name for errors.

    Returns
    -------
    header : list of str
    lines : iterator of (line number, fields)
        Every row has as many fields as the header, or `InputError` names its line.
    """
    text = _text(content, label)
    if not text.strip():
        raise InputError(f"{label}: the file is empty; a header and rows are needed. Download it again.")
    records = _records(text, label)
    header = [name.strip() for name in next(records)[1]]
    refuse_data_as_header(header, where=label)
    folded = [fold(name) for name in header]
    repeated = next((name for i, name in enumerate(folded) if name in folded[:i]), None)
    if repeated is not None:
        raise InputError(
            f"{label} line 1: column {shown(repeated)} stands twice; one is allowed. Remove one or download it again."
        )
    return header, _of_width(records, width=len(header), label=label)


def _records(text: str, label: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{label} line {reader.line_num}: not readable as csv ({error}). Check the quotes in that line or "
                "download the file again."
            ) from error
        if fields:
            yield reader.line_num, fields


def _of_width(records: Iterator[tuple[int, list[str]]], *, width: int, label: str) -> Iterator[tuple[int, list[str]]]:
    for line, fields in records:
        if len(fields) != width:
            raise InputError(
                f"{label} line {line}: {len(fields)} fields where the header has {width}. "
                "Quote fields that hold commas, or download the file again."
            )
        yield line, fields
