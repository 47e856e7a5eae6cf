"""A job with a run and a release that stand, to copy; an MLflow store made once, to copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs import tracking
from jobs.tracking_record import open_client
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


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty store, made once: the process made it and was told nothing more."""
    store = tmp_path_factory.mktemp("store") / "mlflow.db"
    code = "import sys; from jobs.tracking_record import open_client; open_client(sys.argv[1])"
    environment = {**os.environ, **tracking.ENVIRONMENT}
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{store}"], check=True, env=environment, capture_output=True)
    return store


@pytest.fixture
def uri(prepared: Path, tmp_path: Path) -> str:
    shutil.copy(prepared, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@contextmanager
def store_client(uri: str) -> Iterator[Any]:
    """Open a store in this process, with the environment that the recording process has."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in tracking.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield open_client(uri)


@pytest.fixture
def client(uri: str) -> Iterator[Any]:
    with store_client(uri) as opened:
        yield opened
