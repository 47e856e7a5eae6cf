"""No look-ahead: what became available after the as-of date changes nothing, not even the run id."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.samples import SEN2_JOB, forecast, referrals, whole_runs, write_job, write_release

AS_OF = "2022-07-01"


def _run(config: Path) -> tuple[str, Path]:
    """Run as of a day; return the run id and its folder."""
    result = forecast("run", "-c", config, "--as-of", AS_OF)
    assert result.exit_code == 0, result.output
    (run_id,) = whole_runs(config.parent / "runs")
    return run_id, config.parent / "runs" / run_id


def _same_and_nothing_later(one: Path, other: Path) -> None:
    (known, known_folder), (seen, seen_folder) = _run(one), _run(other)
    assert known == seen
    for name in ("forecasts", "history", "scores", "ledger"):
        mine, yours = (pd.read_parquet(folder / f"{name}.parquet") for folder in (known_folder, seen_folder))
        assert len(mine)
        pd.testing.assert_frame_equal(
            mine.drop(columns="source", errors="ignore"), yours.drop(columns="source", errors="ignore")
        )
    assert (known_folder / "forecasts.parquet").read_bytes() == (seen_folder / "forecasts.parquet").read_bytes()
    history = pd.read_parquet(seen_folder / "history.parquet")
    assert history["available"].max() <= pd.Timestamp(AS_OF)
    assert history["ds"].max() < pd.Timestamp(AS_OF)
    scores = pd.read_parquet(seen_folder / "scores.parquet")
    assert scores["ds"].max() <= history["ds"].max()


def test_a_table(tmp_path: Path) -> None:
    until_june = referrals(18)
    assert until_june.splitlines()[-1].startswith("2022-06-01")
    nonsense = "".join(
        f"2022-{month:02d}-01,{area},{month * 90_000}\n" for month in (7, 8) for area in ("Marple", "Hale")
    )
    known = write_job(tmp_path / "known", table=until_june)
    later = write_job(tmp_path / "later", table=until_june + nonsense)
    _same_and_nothing_later(known, later)


def test_the_month_that_has_not_ended_is_not_seen(tmp_path: Path) -> None:
    config = write_job(tmp_path, table=referrals(19))
    result = forecast("run", "-c", config, "--as-of", "2022-07-31")
    assert result.exit_code == 0, result.output
    assert "read: own 54 figures" in result.stderr


@pytest.mark.parametrize("spoilt", [False, True], ids=["as published", "nonsense"])
def test_a_release(tmp_path: Path, spoilt: bool) -> None:
    known = write_job(tmp_path / "known", job=SEN2_JOB)
    write_release(tmp_path / "known" / "release", until=2021)
    later = write_job(tmp_path / "later", job=SEN2_JOB)
    path = write_release(tmp_path / "later" / "release", until=2024) / "requests.csv"
    if spoilt:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        later_rows = [number for number, line in enumerate(lines) if line[:4] in ("2022", "2023", "2024")]
        for number in later_rows:
            lines[number] = ",".join([*lines[number].split(",")[:-3], "77777", "7", "77770"])
        kept = [line for line in lines if not (line.startswith("2024") and ",Birch," in line)]
        assert len(kept) == len(lines) - 1
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    _same_and_nothing_later(known, later)


def test_what_a_later_release_revised_is_as_it_was_until_then(tmp_path: Path) -> None:
    known = write_job(tmp_path / "known", job=SEN2_JOB)
    write_release(tmp_path / "known" / "release" / "first", until=2021)
    later = write_job(tmp_path / "later", job=SEN2_JOB)
    write_release(tmp_path / "later" / "release" / "first", until=2021)
    path = write_release(tmp_path / "later" / "release" / "second", until=2023) / "requests.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    revised = [",".join([*line.split(",")[:-3], "400", "0", "400"]) if line[:4] == "2020" else line for line in lines]
    path.write_text("\n".join(revised) + "\n", encoding="utf-8")
    _same_and_nothing_later(known, later)
