"""Bad inputs through the command line: exit code, one line that helps, nothing left behind, the release stands."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from tests.jobs.samples import JOB, SEN2_JOB, errors, forecast, referrals, standing_release, tree, write_release

CONFIG, INPUT = 2, 4
POSTCODE, UPN, NHS_NUMBER = "SK1 3XE", "A823432108001", "943 476 5919"
TOTAL = "All requests for EHC needs assessments"


@dataclass(frozen=True)
class Case:
    """One bad input: what is done to a good job, the exit code, and what the error must say."""

    name: str
    spoil: Callable[[Path], object]
    code: int
    says: tuple[str, ...]
    options: tuple[str, ...] = ()


def _table(old: str, new: str) -> Callable[[Path], object]:
    """Replace the first of some text in the table."""
    return lambda folder: _replace(folder / "referrals.csv", old, new)


def _config(old: str, new: str) -> Callable[[Path], object]:
    """Replace the first of some text in the config."""
    return lambda folder: _replace(folder / "job.yaml", old, new)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "referrals.csv").write_bytes(content)


def _encoded(encoding: str) -> Callable[[Path], object]:
    return _bytes(referrals().replace("Marple", "Marplé").encode(encoding))


def _instead(name: str, write: Callable[[Path], object]) -> Callable[[Path], object]:
    """Let the config name another file, written by `write`."""

    def spoil(folder: Path) -> None:
        _config("path: referrals.csv", f"path: {name}")(folder)
        write(folder / name)

    return spoil


def _nothing(path: Path) -> None:
    assert not path.exists()


def _workbook(*sheets: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        book = Workbook()
        for name in sheets:
            page = book.create_sheet(name)
            for line in referrals().splitlines():
                page.append(line.split(","))
        del book["Sheet"]
        book.save(path)

    return write


def _cut(write: Callable[[Path], object]) -> Callable[[Path], object]:
    def half(path: Path) -> None:
        write(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])

    return half


def _parquet(day: str = "2021-01-01") -> Callable[[Path], object]:
    def write(path: Path) -> None:
        frame = pd.read_csv(io.StringIO(referrals()))
        frame.assign(
            Month=pd.to_datetime(frame["Month"]) + (pd.Timestamp(day) - pd.Timestamp("2021-01-01"))
        ).to_parquet(path)

    return write


def _symbols(folder: Path) -> None:
    rows = [line.rsplit(",", 1)[0] + ",c" for line in referrals().splitlines()[1:]]
    (folder / "referrals.csv").write_text("\n".join(["Month,Locality,Referrals", *rows]), encoding="utf-8")


def _sen2(spoil: Callable[[Path], object]) -> Callable[[Path], object]:
    """A job on a release, spoilt."""

    def write(folder: Path) -> None:
        (folder / "job.yaml").write_text(SEN2_JOB, encoding="utf-8")
        spoil(write_release(folder / "release"))

    return write


def _requests(old: str, new: str) -> Callable[[Path], object]:
    return _sen2(lambda release: _replace(release / "requests.csv", old, new))


def _zipped(release: Path) -> None:
    path = release.parent / "release.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(release / "requests.csv", "data/requests.csv")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    _config("path: release", "path: release.zip")(release.parent)


def _sums(release: Path) -> None:
    """Many more in Alder than its region has."""
    path = release / "requests.csv"
    rows = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines()]
    spoilt = [[*row[:-3], "9999", "99", "9900"] if "Alder" in row else row for row in rows]
    path.write_text("\n".join(",".join(row) for row in spoilt) + "\n", encoding="utf-8")
    _config("areas: [Alder, North, England]", "areas: [Alder]")(release.parent)


def _empty_release(release: Path) -> None:
    (release / "requests.csv").unlink()


def _cp1252_release(release: Path) -> None:
    path = release / "requests.csv"
    path.write_bytes(path.read_text(encoding="utf-8-sig").replace("Alder", "Aldér").encode("cp1252"))


def _header_of_release(release: Path) -> None:
    path = release / "requests.csv"
    path.write_text(path.read_text(encoding="utf-8-sig").splitlines()[0] + "\n", encoding="utf-8")


def _csv_as_release(release: Path) -> None:
    _config("path: release", "path: release/requests.csv")(release.parent)


def _nhs(write: Callable[[Path], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        text = SEN2_JOB.replace(
            "ehc: {source: sen2_release, path: release}", "ehc: {source: nhs_waiting_list, path: nhs}"
        )
        text = text.replace("[requests]", "[slt_waiting]")
        (folder / "job.yaml").write_text(text, encoding="utf-8")
        (folder / "nhs").mkdir()
        write(folder / "nhs")

    return spoil


def _config_bytes(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "job.yaml").write_bytes(content)


FIRST = "2021-01-01,Heatons,50"
TABLES = [
    Case(
        "wrong column", _table("Referrals", "Refs"), INPUT, ("referrals.csv", "'Referrals'", "Refs", "Correct columns")
    ),
    Case("two columns of one name", _table("Month,Locality", "Month,Month"), INPUT, ("referrals.csv", "'Month'")),
    Case("day that is not", _table(FIRST, "2021-02-30,Heatons,50"), INPUT, ("line 2", "'2021-02-30'", "Correct")),
    Case("ambiguous date", _table(FIRST, "03/04/2021,Heatons,50"), INPUT, ("line 2", "ambiguous", "date_format")),
    Case("date in words", _table(FIRST, "Jan-21,Heatons,50"), INPUT, ("line 2", "'Jan-21'", "date_format")),
    Case("date inside a month", _table(FIRST, "2021-01-15,Heatons,50"), INPUT, ("line 2", "'2021-01-15'", "freq")),
    Case("date of another age", _table(FIRST, "1021-01-01,Heatons,50"), INPUT, ("line 2", "1021", "Correct")),
    Case("blank date", _table(FIRST, ",Heatons,50"), INPUT, ("line 2", "'Month'", "blank", "Fill it in")),
    Case("duplicate row", _table(FIRST, f"{FIRST}\n{FIRST}"), INPUT, ("line 3", "line 2", "'Heatons'", "repeat")),
    Case("negative count", _table(FIRST, f"{FIRST[:-2]}-5"), INPUT, ("line 2", "'Referrals'", "'-5'", "Correct")),
    Case("fraction", _table(FIRST, f"{FIRST}.5"), INPUT, ("line 2", "'50.5'", "whole numbers")),
    Case("number beyond reason", _table(FIRST, FIRST + "0" * 200), INPUT, ("line 2", "more than 1,000,000,000")),
    Case("text in a number", _table(FIRST, f"{FIRST[:-2]}lots"), INPUT, ("line 2", "'Referrals'", "'lots'", "Correct")),
    Case("letter O for zero", _table(FIRST, f"{FIRST[:-2]}5O"), INPUT, ("line 2", "'5O'")),
    Case("decimal comma", _table(FIRST, '2021-01-01,Heatons,"50,5"'), INPUT, ("line 2", "'50,5'", "Correct")),
    Case("line break in a cell", _table(FIRST, '2021-01-01,Heatons,"5\n0"'), INPUT, ("line 3", "'5 0'", "Correct")),
    Case("terminal codes in a cell", _table(FIRST, FIRST[:-2] + "\x1b[31m"), INPUT, ("line 2", r"\x1b[31m")),
    Case(
        "gap", _table("\n2021-02-01,Heatons,58", ""), INPUT, ("slt_referrals/Heatons", "1 month", "2021-02", "max_gap")
    ),
    Case("blank area", _table(FIRST, "2021-01-01,,50"), INPUT, ("line 2", "'Locality'", "blank", "Unknown")),
    Case("one area spelt twice", _table(FIRST, "2021-01-01,HEATONS,50"), INPUT, ("'HEATONS'", "'Heatons'", "spelling")),
    Case(
        "postcode for an area", _table(FIRST, f"2021-01-01,{POSTCODE},50"), INPUT, ("line 2", "not shown", "postcode")
    ),
    Case("postcode in an area", _table(FIRST, f"2021-01-01,Jo of {POSTCODE},50"), INPUT, ("line 2", "not shown")),
    Case(
        "UPN for an area", _table(FIRST, f"2021-01-01,{UPN},50"), INPUT, ("line 2", "not shown", "UPN", "Map a column")
    ),
    Case("NHS number for a count", _table(FIRST, f"2021-01-01,Heatons,{NHS_NUMBER}"), INPUT, ("line 2", "not shown")),
    Case("postcode for a date", _table(FIRST, f"{POSTCODE},Heatons,50"), INPUT, ("line 2", "hidden", "ISO date")),
    Case("all suppressed", _symbols, INPUT, ("none of the 90 figures", "'c'", "slt_referrals", "job.yaml")),
    Case("empty file", _bytes(b""), INPUT, ("referrals.csv", "0 bytes", "Export it again")),
    Case("blank lines alone", _bytes(b"\n \n\n"), INPUT, ("referrals.csv", "no text", "Export it again")),
    Case("header alone", _bytes(b"Month,Locality,Referrals\n"), INPUT, ("referrals.csv", "no rows", "Export")),
    Case("cp1252", _encoded("cp1252"), INPUT, ("referrals.csv", "line 3", "0xe9", "encoding: cp1252")),
    Case("UTF-16", _encoded("utf-16"), INPUT, ("referrals.csv", "UTF-16", "encoding: utf-16")),
    Case("extra field", _table(FIRST, f"{FIRST},9"), INPUT, ("line 2", "4 fields", "header has 3", "Quote")),
    Case("missing field", _table(FIRST, FIRST[:-3]), INPUT, ("line 2", "2 fields", "header has 3", "every line")),
    Case(
        "semicolons", _bytes(referrals().replace(",", ";").encode()), INPUT, ("line 1", "semicolons", "Save the file")
    ),
    Case("quote left open", _table(FIRST, '2021-01-01,"Heatons,50'), INPUT, ("referrals.csv", "quoting", "Close")),
    Case("NUL", _table(FIRST, "2021-01-01,Hea\x00tons,50"), INPUT, ("line 2", "NUL", "Save the file")),
    Case(
        "workbook called csv", _bytes(b"PK\x03\x04" + b"0" * 99), INPUT, ("referrals.csv", "wrong extension", "Rename")
    ),
    Case("no such file", _instead("none.csv", _nothing), INPUT, ("none.csv", "no such file", "Check the path")),
    Case("folder for a file", _instead("a.csv", Path.mkdir), INPUT, ("a.csv", "directory", "Check the path")),
    Case("old Excel", _instead("a.xls", Path.touch), INPUT, ("a.xls", "'.xls'", "Save the table")),
    Case("truncated xlsx", _instead("a.xlsx", _cut(_workbook("Counts"))), INPUT, ("a.xlsx", "truncated", "again")),
    Case(
        "two sheets",
        _instead("a.xlsx", _workbook("Counts", "Notes")),
        INPUT,
        ("a.xlsx", "'Counts', 'Notes'", "Set sheet:"),
    ),
    Case(
        "no such sheet",
        lambda folder: (
            _instead("a.xlsx", _workbook("Counts"))(folder),
            _config("freq: MS", "freq: MS\n    sheet: Count")(folder),
        ),
        INPUT,
        ("a.xlsx", "no sheet 'Count'", "did you mean 'Counts'"),
    ),
    Case("truncated parquet", _instead("a.parquet", _cut(_parquet())), INPUT, ("a.parquet", "Parquet", "again")),
    Case(
        "time of day in parquet",
        _instead("a.parquet", _parquet("2021-01-01 09:30")),
        INPUT,
        ("a.parquet", "row 1", "09:30", "time of day"),
    ),
]
RELEASES = [
    Case("truncated zip", _sen2(_zipped), INPUT, ("release.zip", "cut short", "Download it again")),
    Case("csv for a zip", _sen2(_csv_as_release), INPUT, ("requests.csv", "not a readable zip", "Download")),
    Case("release without tables", _sen2(_empty_release), INPUT, ("release", "no tables", "as downloaded")),
    Case("header alone in a release", _sen2(_header_of_release), INPUT, ("requests.csv", "no rows", "Download")),
    Case("cp1252 in a release", _sen2(_cp1252_release), INPUT, ("requests.csv line 2", "0xe9", "CSV UTF-8")),
    Case(
        "column of a release renamed",
        _requests("requests_received_in_year", "requests_in"),
        INPUT,
        ("requests.csv", "'requests_received_in_year'", "schema map"),
    ),
    Case(
        "label of all totals renamed",
        _sen2(
            lambda release: (release / "requests.csv").write_text(
                (release / "requests.csv").read_text(encoding="utf-8-sig").replace(TOTAL, "Every request"),
                encoding="utf-8",
            )
        ),
        INPUT,
        ("requests.csv", "'Every request'", "schema map"),
    ),
    Case(
        "level of a release renamed",
        _requests(",Local authority,", ",Council,"),
        INPUT,
        ("requests.csv line 2", "'geographic_level'", "'Council'", "schema map"),
    ),
    Case("year of a release broken", _requests("\n2016,", "\n20I6,"), INPUT, ("requests.csv line 2", "'20I6'")),
    Case("negative in a release", _requests(",107,", ",-107,"), INPUT, ("requests.csv line 2", "'-107'", "Correct")),
    Case("unknown symbol", _requests(",107,", ",?,"), INPUT, ("requests.csv line 2", "'?'", "known symbol")),
    Case("line break in a release", _requests(",107,", ',"10\n7",'), INPUT, ("requests.csv line 3", "'10 7'")),
    Case(
        "extra field in a release", _requests(",107,", ",107,7,"), INPUT, ("requests.csv line 2", "16 fields", "Quote")
    ),
    Case(
        "row of a release twice",
        _sen2(
            lambda release: (release / "requests.csv").write_text(
                "\n".join(
                    [*(lines := (release / "requests.csv").read_text(encoding="utf-8-sig").splitlines()), lines[1]]
                ),
                encoding="utf-8",
            )
        ),
        INPUT,
        ("requests.csv line 50", "Alder (E06000091) 2016", "line 2", "Remove one"),
    ),
    Case(
        "sums that never add up",
        _sen2(_sums),
        INPUT,
        ("'requests'", "none of the 8 figures", "sum_mismatch", "job.yaml"),
    ),
    Case("no workbook", _nhs(lambda folder: None), INPUT, ("nhs", "no .xlsx workbook", "monthly workbooks")),
    Case(
        "truncated waiting list",
        _nhs(lambda folder: _cut(_workbook("Table 4"))(folder / "september.xlsx")),
        INPUT,
        ("september.xlsx", "truncated", "Download it again"),
    ),
    Case(
        "another workbook",
        _nhs(lambda folder: _workbook("Counts")(folder / "september.xlsx")),
        INPUT,
        ("september.xlsx",),
    ),
]
CONFIGS = [
    Case("no config", lambda folder: (folder / "job.yaml").unlink(), CONFIG, ("job.yaml", "init LA")),
    Case("empty config", _config_bytes(b""), CONFIG, ("job.yaml:1:1", "empty", "forecast init LA")),
    Case(
        "config in cp1252",
        _config_bytes(JOB.replace("Speech", "Spe\u00e9ch").encode("cp1252")),
        CONFIG,
        ("job.yaml:2:", "0xe9", "UTF-8"),
    ),
    Case(
        "duplicate key",
        _config("n_paths: 100", "n_paths: 100\nn_paths: 200"),
        CONFIG,
        ("job.yaml:5:1", "n_paths", "twice"),
    ),
    Case("unknown key", _config("origins: 3", "originz: 3"), CONFIG, ("targets[0].originz", "did you mean 'origins'")),
    Case("missing key", _config("    freq: MS\n", ""), CONFIG, ("data.own.freq", "missing", "add it")),
    Case("alias", _config("title: Speech", "title: &t Speech"), CONFIG, ("job.yaml:2:8", "anchors", "&t", "remove it")),
    Case("NO", _config("enabled: false", "enabled: NO"), CONFIG, ("tracking.enabled", "NO may mean", "write false")),
    Case("tab", _config("    freq", "\tfreq"), CONFIG, ("job.yaml:10:1", "a tab", "spaces")),
    Case("bad indent", _config("    freq", "   freq"), CONFIG, ("job.yaml:10:", "indentation")),
    Case(
        "time of day",
        _config("horizon: 3", "horizon: 12:30"),
        CONFIG,
        ("12:30",),
    ),
    Case("octal", _config("horizon: 3", "horizon: 010"), CONFIG, ("targets[0].horizon", "010", "leading 0")),
    Case(
        "horizon 0",
        _config("horizon: 3", "horizon: 0"),
        CONFIG,
        ("job.yaml:19:14", "targets[0].horizon", "at least 1", "0"),
    ),
    Case("horizon in words", _config("horizon: 3", "horizon: three"), CONFIG, ("targets[0].horizon", "whole number")),
    Case("unknown model", _config("[naive, drift]", "[naive, drfit]"), CONFIG, ("candidates[1]", "'drfit'", "'drift'")),
    Case("unknown measure", _config("[slt_referrals]", "[slt_referal]"), CONFIG, ("measures[0]", "slt_referrals")),
    Case("unknown source", _config("source: table", "source: tabel"), CONFIG, ("data.own.source", "'tabel'", "table")),
    Case("unknown data", _config("data: own", "data: owm"), CONFIG, ("targets[0].data", "'owm'", "'own'")),
    Case("unknown encoding", _config("freq: MS", "freq: MS\n    encoding: utf9"), CONFIG, ("'utf9'", "encoding")),
    Case(
        "unknown area", _config("areas: all", "areas: [Heatonz]"), CONFIG, ("'Heatonz'", "nearest are Heatons", "Use a")
    ),
    Case("postcode asked for", _config("areas: all", f"areas: [{POSTCODE}]"), CONFIG, ("hidden", "not an area")),
    Case("an address for a file", _config("path: ref", "path: https://a.example/ref"), CONFIG, ("address", "download")),
    Case("day after today", _config("2024-07-01", "2999-07-01"), CONFIG, ("as_of", "2999-07-01", "after today")),
    Case("day that is no day", _config("2024-07-01", "2024-06-31"), CONFIG, ("as_of", "2024-06-31", "year-month-day")),
    Case(
        "file for the runs",
        _config("tracking:", "output: {runs: referrals.csv}\ntracking:"),
        CONFIG,
        ("output.runs", "referrals.csv", "is a file", "Name another"),
    ),
    Case(
        "as of tomorrow", lambda folder: None, CONFIG, ("2999-01-01", "after today", "Give"), ("--as-of", "2999-01-01")
    ),
    Case("as of no date", lambda folder: None, CONFIG, ("'1/7/24'", "%Y-%m-%d", "--help"), ("--as-of", "1/7/24")),
    Case(
        "as of before any figure",
        lambda folder: None,
        INPUT,
        ("'own'", "none of its 90", "2001-01-01", "2021-02-01", "later as_of"),
        ("--as-of", "2001-01-01"),
    ),
]
CASES = [*TABLES, *RELEASES, *CONFIGS]


def test_there_are_more_than_forty() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 45


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_input(job: Path, case: Case) -> None:
    case.spoil(job)
    before = tree(job)
    stood = standing_release(job / "releases")
    said = []
    for command in ("run", "validate"):
        result = forecast(command, "-c", job / "job.yaml", *case.options)
        assert result.exit_code == case.code, result.output
        assert tree(job) == before
        said += errors(result)
    assert standing_release(job / "releases") == stood
    assert len(said) == 2
    assert said[0] == said[1].replace("forecast validate", "forecast run")
    assert said[0].startswith("error: ")
    assert said[0].isprintable()
    for words in case.says:
        assert words in said[0]
    for secret in (POSTCODE, UPN, NHS_NUMBER):
        assert secret not in result.output + said[0]
