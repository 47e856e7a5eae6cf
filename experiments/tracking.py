"""Where the experiments record their runs in MLflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.tracking import ENVIRONMENT, SQLITE
from jobs.tracking_store import check_store

if TYPE_CHECKING:
    from mlflow import MlflowClient


def experiment_at(uri: str, name: str) -> tuple[MlflowClient, str]:
    """Return a client of an MLflow store and the id of the experiment of that name, made if it is not there.

    Parameters
    ----------
    uri : str
        sqlite:///FILE or the address of a server.
    name : str

    Raises
    ------
    StoreFault
        The store does not answer.
    """
    local = uri.startswith(SQLITE)
    check_store(SQLITE + Path(uri.removeprefix(SQLITE)).absolute().as_posix() if local else uri)
    os.environ.update(ENVIRONMENT)
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(name)
    artifacts = Path("mlartifacts").absolute().as_uri() if local else None
    return client, found.experiment_id if found else client.create_experiment(name, artifact_location=artifacts)
