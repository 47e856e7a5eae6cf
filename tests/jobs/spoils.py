"""Ways to spoil a good job: each takes its folder, or the folder of its release, and changes it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from openpyxl import Workbook

from tests.jobs.samples import SEN2_JOB, referrals, write_release

TOTAL = "All requests for EHC needs assessments"
Spoil = Callable[[Path], object]


def in_table(old: str, new: str) -> Spoil:
    """Replace the first of some text in the table."""
    return lambda folder: replace(folder / "referrals.csv", old, new)


def in_config(old: str, new: str) -> Spoil:
    """Replace the first of some text in the config."""
    return lambda folder: replace(folder / "job.yaml", old, new)


def replace(path: Path, old: str, new: str, *, times: int = 1) -> None:
    """Replace some text that must be there."""
    text = path.read_text(encoding="utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new, times), encoding="utf-8")


def as_bytes(content: bytes) -> Spoil:
    """Other bytes for the table."""
    return lambda folder: (folder / "referrals.csv").write_bytes(content)


def encoded(encoding: str) -> Spoil:
    return as_bytes(referrals().replace("Marple", "Marplé").encode(encoding))


def instead(name: str, write: Spoil) -> Spoil:
    """Let the config name another file, written by `write`."""

    def spoil(folder: Path) -> None:
        in_config("path: referrals.csv", f"path: {name}")(folder)
        write(folder / name)

    return spoil


def nothing(path: Path) -> None:
    assert not path.exists()


def workbook(*sheets: str, text: str | None = None) -> Spoil:
    """The counts, or another text, on each of these sheets."""

    def write(path: Path) -> None:
        book = Workbook()
        for name in sheets:
            page = book.create_sheet(name)
            for line in (text or referrals()).splitlines():
                page.append(line.split(","))
        del book["Sheet"]
        book.save(path)

    return write


def cut(write: Spoil) -> Spoil:
    """The first half of what `write` writes."""

    def half(path: Path) -> None:
        write(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])

    return half


def parquet(first: str = "2021-01-01") -> Spoil:
    """The counts as Parquet, the first dated so."""

    def write(path: Path) -> None:
        frame = pd.read_csv(io.StringIO(referrals()))
        later = pd.Timestamp(first) - pd.Timestamp("2021-01-01")
        frame.assign(Month=pd.to_datetime(frame["Month"]) + later).to_parquet(path)

    return write


def all_suppressed(folder: Path) -> None:
    rows = [line.rsplit(",", 1)[0] + ",c" for line in referrals().splitlines()[1:]]
    (folder / "referrals.csv").write_text("\n".join(["Month,Locality,Referrals", *rows]), encoding="utf-8")


def in_release(spoil: Spoil) -> Spoil:
    """A job on a release, spoilt."""

    def write(folder: Path) -> None:
        (folder / "job.yaml").write_text(SEN2_JOB, encoding="utf-8")
        spoil(write_release(folder / "release"))

    return write


def in_requests(old: str, new: str) -> Spoil:
    return in_release(lambda release: replace(release / "requests.csv", old, new))


def labels_renamed(release: Path) -> None:
    replace(release / "requests.csv", TOTAL, "Every request", times=-1)


def row_twice(release: Path) -> None:
    path = release / "requests.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")


def half_a_zip(release: Path) -> None:
    path = release.parent / "release.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(release / "requests.csv", "data/requests.csv")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    in_config("path: release", "path: release.zip")(release.parent)


def sums_that_do_not_add(release: Path) -> None:
    """Many more in Alder than its region has."""
    path = release / "requests.csv"
    rows = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines()]
    spoilt = [[*row[:-3], "9999", "99", "9900"] if "Alder" in row else row for row in rows]
    path.write_text("\n".join(",".join(row) for row in spoilt) + "\n", encoding="utf-8")
    in_config("areas: [Alder, North, England]", "areas: [Alder]")(release.parent)


def no_tables(release: Path) -> None:
    (release / "requests.csv").unlink()


def release_in_cp1252(release: Path) -> None:
    path = release / "requests.csv"
    path.write_bytes(path.read_text(encoding="utf-8-sig").replace("Alder", "Aldér").encode("cp1252"))


def release_header_alone(release: Path) -> None:
    path = release / "requests.csv"
    path.write_text(path.read_text(encoding="utf-8-sig").splitlines()[0] + "\n", encoding="utf-8")


def csv_for_a_zip(release: Path) -> None:
    in_config("path: release", "path: release/requests.csv")(release.parent)


def waiting_list(write: Spoil) -> Spoil:
    """A job on a folder of monthly workbooks, filled by `write`."""

    def spoil(folder: Path) -> None:
        text = SEN2_JOB.replace(
            "ehc: {source: sen2_release, path: release}", "ehc: {source: nhs_waiting_list, path: nhs}"
        )
        text = text.replace("[requests]", "[slt_waiting]")
        (folder / "job.yaml").write_text(text, encoding="utf-8")
        (folder / "nhs").mkdir()
        write(folder / "nhs")

    return spoil


def config_bytes(content: bytes) -> Spoil:
    """Other bytes for the config."""
    return lambda folder: (folder / "job.yaml").write_bytes(content)
