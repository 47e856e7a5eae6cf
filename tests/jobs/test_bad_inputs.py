"""Bad inputs through the command line: exit code, one line that helps, nothing left behind, the release stands."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.samples import JOB, errors, forecast, plain_charts, referrals, standing_release, tree
from tests.jobs.spoils import (
    Spoil,
    all_suppressed,
    as_bytes,
    config_bytes,
    csv_for_a_zip,
    cut,
    encoded,
    half_a_zip,
    in_config,
    in_release,
    in_requests,
    in_table,
    instead,
    labels_renamed,
    no_tables,
    nothing,
    parquet,
    release_header_alone,
    release_in_cp1252,
    replace,
    row_twice,
    sums_that_do_not_add,
    waiting_list,
    workbook,
)

CONFIG, INPUT = 2, 4
POSTCODE, UPN, NHS_NUMBER = "SK1 3XE", "A823432108001", "943 476 5919"
CHILD = ("Jo Bloggs", "2015-03-04", UPN, POSTCODE)
CHILDREN = "\n".join(",".join(("Jo Bloggs", "2015-03-04", upn, POSTCODE)) for upn in (UPN, "B823432108002")) + "\n"


@dataclass(frozen=True)
class Case:
    """One bad input: what is done to a good job, the exit code, and what the error must say."""

    name: str
    spoil: Spoil
    code: int
    says: tuple[str, ...]
    options: tuple[str, ...] = ()


def of_children(release: Path) -> None:
    """A list of children in the place of the table of requests."""
    (release / "requests.csv").write_text(CHILDREN, encoding="utf-8")


FIRST = "2021-01-01,Heatons,50"
TABLES = [
    Case(
        "wrong column",
        in_table("Referrals", "Refs"),
        INPUT,
        ("referrals.csv", "'Referrals'", "Refs", "Correct columns"),
    ),
    Case("two columns of one name", in_table("Month,Locality", "Month,Month"), INPUT, ("referrals.csv", "'Month'")),
    Case("day that is not", in_table(FIRST, "2021-02-30,Heatons,50"), INPUT, ("line 2", "'2021-02-30'", "Correct")),
    Case("ambiguous date", in_table(FIRST, "03/04/2021,Heatons,50"), INPUT, ("line 2", "ambiguous", "date_format")),
    Case("date in words", in_table(FIRST, "Jan-21,Heatons,50"), INPUT, ("line 2", "'Jan-21'", "date_format")),
    Case("date inside a month", in_table(FIRST, "2021-01-15,Heatons,50"), INPUT, ("line 2", "'2021-01-15'", "freq")),
    Case("date of another age", in_table(FIRST, "1021-01-01,Heatons,50"), INPUT, ("line 2", "1021", "Correct")),
    Case("blank date", in_table(FIRST, ",Heatons,50"), INPUT, ("line 2", "'Month'", "blank", "Fill it in")),
    Case("duplicate row", in_table(FIRST, f"{FIRST}\n{FIRST}"), INPUT, ("line 3", "line 2", "'Heatons'", "repeat")),
    Case("negative count", in_table(FIRST, f"{FIRST[:-2]}-5"), INPUT, ("line 2", "'Referrals'", "'-5'", "Correct")),
    Case("fraction", in_table(FIRST, f"{FIRST}.5"), INPUT, ("line 2", "'50.5'", "whole numbers")),
    Case("number beyond reason", in_table(FIRST, FIRST + "0" * 200), INPUT, ("line 2", "more than 1,000,000,000")),
    Case(
        "text in a number", in_table(FIRST, f"{FIRST[:-2]}lots"), INPUT, ("line 2", "'Referrals'", "'lots'", "Correct")
    ),
    Case("letter O for zero", in_table(FIRST, f"{FIRST[:-2]}5O"), INPUT, ("line 2", "'5O'")),
    Case("decimal comma", in_table(FIRST, '2021-01-01,Heatons,"50,5"'), INPUT, ("line 2", "'50,5'", "Correct")),
    Case("line break in a cell", in_table(FIRST, '2021-01-01,Heatons,"5\n0"'), INPUT, ("line 3", "'5 0'", "Correct")),
    Case("terminal codes in a cell", in_table(FIRST, FIRST[:-2] + "\x1b[31m"), INPUT, ("line 2", r"\x1b[31m")),
    Case(
        "gap",
        in_table("\n2021-02-01,Heatons,58", ""),
        INPUT,
        ("slt_referrals/Heatons", "1 month missing", "2021-02", "max_gap"),
    ),
    Case("blank area", in_table(FIRST, "2021-01-01,,50"), INPUT, ("line 2", "'Locality'", "blank", "Unknown")),
    Case(
        "formula for an area", in_table(FIRST, "2021-01-01,=1+1,50"), INPUT, ("line 2", "'=1+1'", "Excel", "plain name")
    ),
    Case("terminal codes in an area", in_table(FIRST, "2021-01-01,\x1b[31m,50"), INPUT, ("line 2", r"\x1b[31m")),
    Case(
        "one area spelt twice", in_table(FIRST, "2021-01-01,HEATONS,50"), INPUT, ("'HEATONS'", "'Heatons'", "spelling")
    ),
    Case(
        "postcode for an area", in_table(FIRST, f"2021-01-01,{POSTCODE},50"), INPUT, ("line 2", "not shown", "postcode")
    ),
    Case("postcode in an area", in_table(FIRST, f"2021-01-01,Jo of {POSTCODE},50"), INPUT, ("line 2", "not shown")),
    Case(
        "UPN for an area",
        in_table(FIRST, f"2021-01-01,{UPN},50"),
        INPUT,
        ("line 2", "not shown", "UPN", "Map a column"),
    ),
    Case("NHS number for a count", in_table(FIRST, f"2021-01-01,Heatons,{NHS_NUMBER}"), INPUT, ("line 2", "not shown")),
    Case("postcode for a date", in_table(FIRST, f"{POSTCODE},Heatons,50"), INPUT, ("line 2", "hidden", "ISO date")),
    Case(
        "all suppressed",
        all_suppressed,
        INPUT,
        ("none of the 90 figures", "Heatons 2021-01: c", "slt_referrals", "job.yaml"),
    ),
    Case("empty file", as_bytes(b""), INPUT, ("referrals.csv", "0 bytes", "Export it again")),
    Case("blank lines alone", as_bytes(b"\n \n\n"), INPUT, ("referrals.csv", "no text", "Export it again")),
    Case("header alone", as_bytes(b"Month,Locality,Referrals\n"), INPUT, ("referrals.csv", "no rows", "Export")),
    Case("no header", as_bytes(CHILDREN.encode()), INPUT, ("referrals.csv", "not shown", "Add a header line")),
    Case(
        "no header, name and day alone",
        as_bytes(b"Jo Bloggs,4 March 2015\nSam Roe,5 March 2016\n"),
        INPUT,
        ("referrals.csv", "not shown", "Add a header line"),
    ),
    Case(
        "no header in Excel",
        instead("a.xlsx", workbook("Counts", text=CHILDREN)),
        INPUT,
        ("a.xlsx", "not shown", "Add a header line"),
    ),
    Case("cp1252", encoded("cp1252"), INPUT, ("referrals.csv", "line 3", "0xe9", "encoding: cp1252")),
    Case("UTF-16", encoded("utf-16"), INPUT, ("referrals.csv", "UTF-16", "encoding: utf-16")),
    Case("extra field", in_table(FIRST, f"{FIRST},9"), INPUT, ("line 2", "4 fields", "header has 3", "Quote")),
    Case("missing field", in_table(FIRST, FIRST[:-3]), INPUT, ("line 2", "2 fields", "header has 3", "every line")),
    Case(
        "semicolons", as_bytes(referrals().replace(",", ";").encode()), INPUT, ("line 1", "semicolons", "Save the file")
    ),
    Case("quote left open", in_table(FIRST, '2021-01-01,"Heatons,50'), INPUT, ("referrals.csv", "quoting", "Close")),
    Case("NUL", in_table(FIRST, "2021-01-01,Hea\x00tons,50"), INPUT, ("line 2", "NUL", "Save the file")),
    Case(
        "workbook called csv",
        as_bytes(b"PK\x03\x04" + b"0" * 99),
        INPUT,
        ("referrals.csv", "wrong extension", "Rename"),
    ),
    Case("no such file", instead("none.csv", nothing), INPUT, ("none.csv", "no such file", "Check the path")),
    Case("folder for a file", instead("a.csv", Path.mkdir), INPUT, ("a.csv", "directory", "Check the path")),
    Case("old Excel", instead("a.xls", Path.touch), INPUT, ("a.xls", "'.xls'", "Save the table")),
    Case("truncated xlsx", instead("a.xlsx", cut(workbook("Counts"))), INPUT, ("a.xlsx", "truncated", "again")),
    Case(
        "two sheets",
        instead("a.xlsx", workbook("Counts", "Notes")),
        INPUT,
        ("a.xlsx", "'Counts', 'Notes'", "Set sheet:"),
    ),
    Case(
        "no such sheet",
        lambda folder: (
            instead("a.xlsx", workbook("Counts"))(folder),
            in_config("freq: MS", "freq: MS\n    sheet: Count")(folder),
        ),
        INPUT,
        ("a.xlsx", "no sheet 'Count'", "did you mean 'Counts'"),
    ),
    Case("truncated parquet", instead("a.parquet", cut(parquet())), INPUT, ("a.parquet", "Parquet", "again")),
    Case(
        "time of day in parquet",
        instead("a.parquet", parquet("2021-01-01 09:30")),
        INPUT,
        ("a.parquet", "row 1", "09:30", "time of day"),
    ),
]
RELEASES = [
    Case("truncated zip", in_release(half_a_zip), INPUT, ("release.zip", "cut short", "Download it again")),
    Case("csv for a zip", in_release(csv_for_a_zip), INPUT, ("requests.csv", "not a readable zip", "Download")),
    Case("no header in a release", in_release(of_children), INPUT, ("requests.csv", "not shown", "Add a header line")),
    Case(
        "child in a row of a release",
        in_requests("\n2016,Calendar year,", f"\n{UPN},{POSTCODE},"),
        INPUT,
        ("requests.csv line 2", "'time_period'", "hidden", "not a year"),
    ),
    Case("UPN for a count in a release", in_requests(",107,", f",{UPN},"), INPUT, ("requests.csv line 2", "hidden")),
    Case("release without tables", in_release(no_tables), INPUT, ("release", "no tables", "as downloaded")),
    Case("header alone in a release", in_release(release_header_alone), INPUT, ("requests.csv", "no rows", "Download")),
    Case("cp1252 in a release", in_release(release_in_cp1252), INPUT, ("requests.csv line 2", "0xe9", "CSV UTF-8")),
    Case(
        "column of a release renamed",
        in_requests("requests_received_in_year", "requests_in"),
        INPUT,
        ("requests.csv", "'requests_received_in_year'", "schema map"),
    ),
    Case(
        "label of all totals renamed",
        in_release(labels_renamed),
        INPUT,
        ("requests.csv", "'Every request'", "schema map"),
    ),
    Case(
        "level of a release renamed",
        in_requests(",Local authority,", ",Council,"),
        INPUT,
        ("requests.csv line 2", "'geographic_level'", "'Council'", "schema map"),
    ),
    Case("year of a release broken", in_requests("\n2016,", "\n20I6,"), INPUT, ("requests.csv line 2", "'20I6'")),
    Case("negative in a release", in_requests(",107,", ",-107,"), INPUT, ("requests.csv line 2", "'-107'", "Correct")),
    Case("unknown symbol", in_requests(",107,", ",?,"), INPUT, ("requests.csv line 2", "'?'", "known symbol")),
    Case("line break in a release", in_requests(",107,", ',"10\n7",'), INPUT, ("requests.csv line 3", "'10 7'")),
    Case(
        "extra field in a release",
        in_requests(",107,", ",107,7,"),
        INPUT,
        ("requests.csv line 2", "16 fields", "Quote"),
    ),
    Case(
        "row of a release twice",
        in_release(row_twice),
        INPUT,
        ("requests.csv line 50", "'Alder' (E06000091) 2016", "line 2", "Remove one"),
    ),
    Case(
        "sums that never add up",
        in_release(sums_that_do_not_add),
        INPUT,
        ("'requests'", "none of the 8 figures", "first Alder 2016: sum_mismatch", "job.yaml"),
    ),
    Case("no workbook", waiting_list(lambda folder: None), INPUT, ("nhs", "no .xlsx workbook", "monthly workbooks")),
    Case(
        "truncated waiting list",
        waiting_list(lambda folder: cut(workbook("Table 4"))(folder / "september.xlsx")),
        INPUT,
        ("september.xlsx", "truncated", "Download it again"),
    ),
    Case(
        "another workbook",
        waiting_list(lambda folder: workbook("Counts")(folder / "2023-11.xlsx")),
        INPUT,
        ("2023-11.xlsx", "no sheet", "'Counts'"),
    ),
]
CONFIGS = [
    Case("no config", lambda folder: (folder / "job.yaml").unlink(), CONFIG, ("job.yaml", "init LA")),
    Case("empty config", config_bytes(b""), CONFIG, ("job.yaml:1:1", "empty", "forecast init LA")),
    Case(
        "config in cp1252",
        config_bytes(JOB.replace("Speech", "Spe\u00e9ch").encode("cp1252")),
        CONFIG,
        ("job.yaml:2:", "0xe9", "UTF-8"),
    ),
    Case(
        "duplicate key",
        in_config("n_paths: 100", "n_paths: 100\nn_paths: 200"),
        CONFIG,
        ("job.yaml:5:1", "n_paths", "twice"),
    ),
    Case(
        "unknown key", in_config("origins: 3", "originz: 3"), CONFIG, ("targets[0].originz", "did you mean 'origins'")
    ),
    Case("missing key", in_config("    freq: MS\n", ""), CONFIG, ("data.own.freq", "missing", "add it")),
    Case(
        "alias", in_config("title: Speech", "title: &t Speech"), CONFIG, ("job.yaml:2:8", "anchors", "&t", "remove it")
    ),
    Case("NO", in_config("enabled: false", "enabled: NO"), CONFIG, ("tracking.enabled", "NO may mean", "write false")),
    Case("tab", in_config("    freq", "\tfreq"), CONFIG, ("job.yaml:10:1", "a tab", "spaces")),
    Case("bad indent", in_config("    freq", "   freq"), CONFIG, ("job.yaml:10:", "indentation")),
    Case(
        "time of day",
        in_config("horizon: 3", "horizon: 12:30"),
        CONFIG,
        ("job.yaml:19:14", "12:30", "quote it"),
    ),
    Case("octal", in_config("horizon: 3", "horizon: 010"), CONFIG, ("targets[0].horizon", "010", "leading 0")),
    Case(
        "horizon 0",
        in_config("horizon: 3", "horizon: 0"),
        CONFIG,
        ("job.yaml:19:14", "targets[0].horizon", "at least 1", "0"),
    ),
    Case("horizon in words", in_config("horizon: 3", "horizon: three"), CONFIG, ("targets[0].horizon", "whole number")),
    Case(
        "unknown model", in_config("[naive, drift]", "[naive, drfit]"), CONFIG, ("candidates[1]", "'drfit'", "'drift'")
    ),
    Case("unknown measure", in_config("[slt_referrals]", "[slt_referal]"), CONFIG, ("measures[0]", "slt_referrals")),
    Case(
        "unknown source", in_config("source: table", "source: tabel"), CONFIG, ("data.own.source", "'tabel'", "table")
    ),
    Case("unknown data", in_config("data: own", "data: owm"), CONFIG, ("targets[0].data", "'owm'", "'own'")),
    Case("unknown encoding", in_config("freq: MS", "freq: MS\n    encoding: utf9"), CONFIG, ("'utf9'", "encoding")),
    Case(
        "unknown area",
        in_config("areas: all", "areas: [Heatonz]"),
        CONFIG,
        ("'Heatonz'", "nearest are Heatons", "Use a"),
    ),
    Case("postcode asked for", in_config("areas: all", f"areas: [{POSTCODE}]"), CONFIG, ("hidden", "not an area")),
    Case(
        "an address for a file", in_config("path: ref", "path: https://a.example/ref"), CONFIG, ("address", "download")
    ),
    Case("day after today", in_config("2024-07-01", "2999-07-01"), CONFIG, ("as_of", "2999-07-01", "after today")),
    Case(
        "day that is no day", in_config("2024-07-01", "2024-06-31"), CONFIG, ("as_of", "2024-06-31", "year-month-day")
    ),
    Case(
        "file for the runs",
        in_config("tracking:", "output: {runs: referrals.csv}\ntracking:"),
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
    said, printed = [], ""
    for command in ("run", "validate"):
        result = forecast(command, "-c", job / "job.yaml", *case.options)
        assert result.exit_code == case.code, result.output
        assert tree(job) == before
        told = errors(result)
        assert len(told) == 1 or command == "validate"
        assert len(told) <= 21
        assert len(set(told)) == len(told)
        said += [told[0]]
        printed += result.output
    assert standing_release(job / "releases") == stood
    assert said[0] == said[1].replace("forecast validate", "forecast run")
    assert said[0].startswith("error: ")
    assert said[0].isprintable()
    for words in case.says:
        assert words in said[0]
    for secret in (UPN, NHS_NUMBER, "4 March 2015", *CHILD):
        assert secret not in printed


def test_validate_tells_every_fault_of_a_table_up_to_twenty(job: Path) -> None:
    path = job / "referrals.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1:5] = ["2021-01-15,Heatons,-5", f"2021-01-01,{POSTCODE},57", "2021-01-01,Reddish,few", lines[1]]
    path.write_text("\n".join([*lines, *lines[6:8]]) + "\n", encoding="utf-8")
    result = forecast("validate", "-c", job / "job.yaml")
    assert result.exit_code == INPUT
    places = [line.split("referrals.csv: ")[1].split(", column")[0] for line in errors(result)]
    assert places == ["line 2", "line 2", "line 3", "line 4", "line 92", "line 93"]
    path.write_text(re.sub(r",(\d+)\n", r",-\1\n", referrals()), encoding="utf-8")
    told = errors(forecast("validate", "-c", job / "job.yaml"))
    assert len(told) == 21
    assert all("is not a count of 0 or more" in line for line in told[:20])
    assert told[20] == "error: and 70 more faults of this kind. Correct these first."


def test_validate_tells_every_fault_of_a_target(job: Path) -> None:
    in_config("areas: all", f"areas: [Heatonz, Leeds, {POSTCODE}, Marple]")(job)
    for locality, month in (("Marple", "2021-03"), ("Reddish", "2021-05")):
        path = job / "referrals.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not (line.startswith(month) and locality in line)]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    result = forecast("validate", "-c", job / "job.yaml")
    assert result.exit_code == INPUT
    told = errors(result)
    for part, line in zip(("/Marple'", "/Reddish'", "'Heatonz'", "'Leeds'", "hidden"), told, strict=True):
        assert part in line
    assert len(errors(forecast("run", "-c", job / "job.yaml"))) == 1


@pytest.mark.parametrize(
    "untidy",
    [
        pytest.param(lambda text: "\ufeff" + text, id="byte order mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="Windows line ends"),
        pytest.param(lambda text: text.replace("\n", "\n\n"), id="blank lines"),
        pytest.param(lambda text: text.replace(",", " , "), id="spaces around values"),
        pytest.param(lambda text: text.replace("\n", f",{POSTCODE}\n"), id="a column that is not asked for"),
    ],
)
def test_what_is_only_untidy_gives_the_run_that_stands(job: Path, untidy: Callable[[str], str]) -> None:
    path = job / "referrals.csv"
    path.write_bytes(untidy(referrals()).encode("utf-8"))
    result = forecast("run", "-c", job / "job.yaml")
    assert result.exit_code == 0, result.output
    assert "nothing new" in result.stdout


def test_a_column_that_is_not_asked_for_leaves_no_trace(job: Path) -> None:
    text = referrals(29).replace("\n", f",{POSTCODE}\n").replace(POSTCODE, "Home", 1)
    (job / "referrals.csv").write_text(text, encoding="utf-8")
    with plain_charts():
        results = [forecast(command, "-c", job / "job.yaml") for command in ("run", "publish", "validate")]
    assert [result.exit_code for result in results] == [0, 0, 0]
    assert all(POSTCODE not in result.output for result in results)
    kept = [path for path in job.rglob("*") if path.is_file() and path.name != "referrals.csv"]
    assert len(kept) > 15
    for path in kept:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = pd.read_parquet(path).to_csv().encode("utf-8")
        assert POSTCODE.encode() not in content


def test_symbols_are_reasons_and_are_told(job: Path) -> None:
    path = job / "referrals.csv"
    for value, symbol in (("50", "c"), ("63", "[x]"), ("76", "<5"), ("58", "low"), ("71", '"1,071"')):
        replace(path, f",{value}\n", f",{symbol}\n")
    result = forecast("run", "-c", job / "job.yaml")
    assert result.exit_code == 0, result.output
    told = [line for line in result.stderr.splitlines() if line.startswith("warning: referrals.csv")]
    assert [line.split("reason ")[1].split(";")[0] for line in told] == ["'c'", "'low'", "'small'", "'x'"]
    (run,) = (job / "runs" / result.stdout.split()[1]).glob("history.parquet")
    history = pd.read_parquet(run).sort_values(["ds", "area_code"])
    assert history["reason"].head(5).tolist() == ["c", "x", "small", "low", ""]
    assert history["y"].head(3).isna().all()
    assert history["y"].iloc[4] == 1071


def test_a_year_whose_sums_do_not_add_up_is_told_and_not_used(job: Path) -> None:
    in_requests(",148,", ",999,")(job)
    result = forecast("run", "-c", job / "job.yaml")
    assert result.exit_code == 0, result.output
    assert (
        "warning: target 'ehc': 2 published figures of 'requests' not used, first Alder 2018: "
        "sum_mismatch: 2 areas of North sum to 1,247, the region is 396"
    ) in result.stderr
    history = pd.read_parquet(job / "runs" / result.stdout.split()[1] / "history.parquet")
    refused = history[history["reason"].ne("")]
    assert refused["area_name"].tolist() == ["Alder", "Birch"]
    assert refused["ds"].dt.year.tolist() == [2018, 2018]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.parquet"])
def test_bytes_changed_at_random_are_read_or_refused(job: Path, name: str) -> None:
    write = {"a.csv": _csv, "a.xlsx": workbook("Counts"), "a.parquet": parquet()}[name]
    instead(name, write)(job)
    good = (job / name).read_bytes()
    codes = []
    for seed in range(25):
        rng = random.Random(seed)
        content = bytearray(good)
        start = rng.randrange(len(content))
        if seed % 3 == 0:
            del content[start : start + rng.randrange(1, 200)]
        else:
            for place in rng.choices(range(len(content)), k=rng.randrange(1, 12)):
                content[place] = rng.randrange(256)
        (job / name).write_bytes(content)
        result = forecast("validate", "-c", job / "job.yaml")
        codes.append(result.exit_code)
        assert result.exit_code in (0, INPUT), result.output
        assert bool(errors(result)) == (result.exit_code == INPUT)
        assert all(line.isprintable() for line in errors(result))
    assert codes.count(INPUT) > 12


def _csv(path: Path) -> None:
    path.write_text(referrals(), encoding="utf-8")
