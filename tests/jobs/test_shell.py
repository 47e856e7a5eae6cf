"""What every command shares, where a command line cannot reach it on every system."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.errors import SpecError
from jobs.shell import load
from tests.jobs.samples import write_job


def test_a_drive_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_job(tmp_path)
    exists = Path.exists
    away = tmp_path / "away"
    monkeypatch.setattr(Path, "exists", lambda path: path not in (away, *away.parents, away / "runs") and exists(path))
    with pytest.raises(SpecError, match=r"output\.runs: .* is not there\. Connect that drive") as caught:
        load(str(config), away)
    assert "\n" not in str(caught.value)
