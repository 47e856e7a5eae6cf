"""Try an MLflow store with the standard library alone, before the seconds that loading MLflow takes.

MLflow tries a sqlite file that it cannot open ten times over, for 100 seconds; here one look tells.
"""

from __future__ import annotations

import json
import sqlite3
import ssl
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from jobs.tracking import SQLITE

PATIENCE = 3.0
PROBE = "/api/2.0/mlflow/experiments/get?experiment_id=0"
MAX_REPLY = 1 << 16
CREDENTIALS = (401, 403)


class StoreFault(Exception):
    """The store does not answer as MLflow needs; the message says how."""


def check_store(uri: str, *, patience: float = PATIENCE) -> None:
    """Refuse a store that is down, slow or broken.

    Parameters
    ----------
    uri : str
        sqlite:///FILE, absolute, whose folder is made if missing; or the address of a server.
    patience : float
        Seconds to wait for an answer.

    Raises
    ------
    StoreFault
    """
    if uri.startswith(SQLITE):
        _check_file(Path(uri.removeprefix(SQLITE)), patience)
    else:
        _check_server(uri, patience)


def _check_file(path: Path, patience: float) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=patience)) as store:
            store.execute("SELECT count(*) FROM sqlite_master")
            store.execute("BEGIN IMMEDIATE")
            store.rollback()
    except (OSError, sqlite3.Error) as error:
        raise StoreFault(f"the sqlite file cannot be used ({error})") from error


def _check_server(uri: str, patience: float) -> None:
    try:
        with urlopen(uri.rstrip("/") + PROBE, timeout=patience) as answer:  # noqa: S310
            status, body = answer.status, answer.read(MAX_REPLY)
    except HTTPError as error:
        with error:
            status, body = error.code, error.read(MAX_REPLY)
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return
        raise StoreFault(f"the server does not answer ({reason or type(reason).__name__})") from error
    if status in CREDENTIALS:
        return
    if status not in (200, 404):
        raise StoreFault(f"the server answers with code {status}")
    if not _is_json_object(body):
        raise StoreFault("what answers there is not an MLflow server")


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
