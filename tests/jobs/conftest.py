"""A job with a run and a release that stand, to copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs import samples


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a job whose run and release stand. Only to be read."""
    folder = tmp_path_factory.mktemp("published")
    config = samples.write_job(folder)
    with samples.plain_charts():
        assert samples.forecast("run", "-c", config).exit_code == 0
        assert samples.forecast("publish", "-c", config).exit_code == 0
    assert samples.standing_release(folder / "releases") is not None
    return folder


@pytest.fixture
def job(published: Path, tmp_path: Path) -> Iterator[Path]:
    """Give a copy of that folder to change; charts are not drawn."""
    folder = tmp_path / "job"
    shutil.copytree(published, folder)
    with samples.plain_charts():
        yield folder
