"""The process that records a run in MLflow: `python -m jobs.tracking_record`, started by `jobs.tracking`.

It reads two lines of JSON from its input, the uri and then the request, and answers with one line. In between it
tries the store, loads MLflow and opens it, which makes a new sqlite store. It ends when its input ends.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from jobs.atomic import STAGING, replace
from jobs.tracking import SQLITE
from jobs.tracking_ehc import EHC_TABLES, record_ehc
from jobs.tracking_night import PREFIX, Night
from jobs.tracking_speech_language import SPEECH_LANGUAGE, record_speech_language
from jobs.tracking_store import check_store

NIGHT, MODEL = "night", "model"
MAX_DETAIL = 300
OF_OTHERS = ("history", *EHC_TABLES, SPEECH_LANGUAGE)
EXPLAINED_BY_MODEL = ("weights", "reasons")
WITHHELD = "local figures do not go to a server, so only settings and accuracy are there, no tables or plots. "
WITHHELD += "Find those in the run folder, or name a sqlite:/// uri under tracking."


@dataclass(frozen=True)
class Request:
    """What to record and where; paths are absolute."""

    run_folder: str
    artifacts: str | None
    experiment: str


@dataclass(frozen=True)
class Reply:
    """What became of it."""

    status: str
    detail: str
    parent_run_id: str | None = None
    warning: str | None = None


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answer one request."""
    try:
        uri = json.loads(requests.readline())["uri"]
        check_store(uri)
        client = open_client(uri)
        line = requests.readline()
        if not line:
            return
        reply = record(client, Request(**json.loads(line)), on_server=not uri.startswith(SQLITE))
    except Exception as error:
        reply = Reply("unreachable", one_line(error))
    replies.write(json.dumps(asdict(reply)) + "\n")
    replies.flush()


def open_client(uri: str) -> Any:
    """Load what recording takes and open the store."""
    import matplotlib.figure  # noqa: F401
    from mlflow import MlflowClient

    import jobs.tracking_metrics
    import jobs.tracking_plots  # noqa: F401

    if uri.startswith(SQLITE):
        make_store(Path(uri.removeprefix(SQLITE)))
    return MlflowClient(tracking_uri=uri)


def make_store(path: Path) -> None:
    """Make a sqlite store if there is none, whole or not at all: MLflow cannot use one that was begun.

    Parameters
    ----------
    path : Path
        In a folder that exists; an empty file counts as none.
    """
    from filelock import FileLock
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    staged, lock = path.with_name(f"{STAGING}{path.name}"), path.with_name(f".{path.name}.lock")
    with FileLock(lock):
        if not path.exists() or not path.stat().st_size:
            for leftover in (staged, staged.with_name(f"{staged.name}-journal")):
                leftover.unlink(missing_ok=True)
            store = SqlAlchemyStore(f"{SQLITE}{staged.as_posix()}", (path.parent / "mlruns").as_uri())
            store.engine.dispose()
            replace(staged, path)
    with suppress(OSError):
        lock.unlink()  # safe although others may wait for it: now that the store is there, none of them makes one


def one_line(error: Exception) -> str:
    r"""Say what went wrong without a traceback.

    >>> one_line(KeyError("model"))
    "KeyError: 'model'"
    >>> one_line(OSError("disk full\nat block 7"))
    'disk full'
    """
    lines = str(error).strip().splitlines()
    if not lines or isinstance(error, LookupError | TypeError | AttributeError):
        lines = [f"{type(error).__name__}: {error}"]
    return lines[0][:MAX_DETAIL].rstrip(" .")


def record(client: Any, request: Request, *, on_server: bool) -> Reply:
    """Record a run folder as a parent run and a child run for each model.

    Parameters
    ----------
    client : mlflow.MlflowClient
    request : Request
    on_server : bool
        Whether others may read the store. Then a run with local figures, which nobody has checked for small
        counts, leaves its metrics and parameters there and no file: no table, plot, config or manifest.

    Returns
    -------
    Reply
        Skipped if MLflow has a finished record of this run.
    """
    import pandas as pd

    from jobs.tracking_metrics import CHOSEN, compare_models
    from jobs.tracking_plots import draw_plots

    folder = Path(request.run_folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    experiment = _experiment(client, request)
    if standing := _standing(client, experiment, manifest["run_id"]):
        return Reply("skipped", f"run {manifest['run_id']} is in MLflow already", standing)
    scores = pd.read_parquet(folder / "scores.parquet")
    ledger = pd.read_parquet(folder / "ledger.parquet")
    history = pd.read_parquet(folder / "history.parquet")
    chosen = {target["name"]: target["model"] for target in manifest["targets"]}
    compared = compare_models(scores, chosen=chosen)
    withheld = on_server and "local" in manifest["provenance"]
    night = Night(client, experiment, manifest, history, compared, withheld)
    with tempfile.TemporaryDirectory() as scratch:
        parent = night.start(f"{manifest['run_id']} {manifest['as_of']}", NIGHT)
        place = _folder(scratch, NIGHT)
        if not withheld:
            for path in (*folder.glob("*.parquet"), folder / "manifest.json"):
                if path.stem not in OF_OTHERS:
                    shutil.copy2(path, place)
            _write_config(manifest, place / "config.yaml")
            draw_plots(_folder(place, "plots"), targets=manifest["targets"], history=history, scores=scores)
        extra = {f"series_{status}": float(n) for status, n in ledger["status"].value_counts().items()}
        extra |= {f"seconds_{step}": float(seconds) for step, seconds in manifest["steps"].items()}
        night.log(parent, compared.readings[CHOSEN], params=_params(manifest, None), extra=extra, artifacts=place)
        for model in compared.models:
            child = night.start(model, MODEL, parent=parent)
            place = _folder(scratch, model)
            own = ledger[ledger["target"].isin([name for name, picked in chosen.items() if picked == model])]
            if not withheld:
                scores[scores["model"].eq(model)].to_parquet(place / "scores.parquet", index=False)
            if len(own) and not withheld:
                own.to_parquet(place / "ledger.parquet", index=False)
            if not withheld:
                _explain(model, folder, place)
            night.log(child, compared.readings[model], params=_params(manifest, model), extra={}, artifacts=place)
            night.end(child)
        if "ehc" in manifest:
            record_ehc(night, folder, _folder(scratch, "from_request_to_plan"), parent=parent)
        if SPEECH_LANGUAGE in manifest:
            record_speech_language(night, folder, _folder(scratch, SPEECH_LANGUAGE), parent=parent)
        night.end(parent)
    detail = f"{len(compared.models)} models in experiment '{request.experiment}'"
    return Reply("recorded", detail, parent, WITHHELD if withheld else None)


def _experiment(client: Any, request: Request) -> str:
    found = client.get_experiment_by_name(request.experiment)
    if found is not None:
        return str(found.experiment_id)
    location = (Path(request.artifacts) / request.experiment).as_uri() if request.artifacts else None
    return str(client.create_experiment(request.experiment, artifact_location=location))


def _standing(client: Any, experiment: str, run_id: str) -> str | None:
    """Return the finished parent run of a run id; delete what an interrupted record left."""
    runs = client.search_runs([experiment], filter_string=f"tags.`{PREFIX}run_id` = '{run_id}'")
    for run in runs:
        if run.data.tags[f"{PREFIX}role"] == NIGHT and run.info.status == "FINISHED":
            return str(run.info.run_id)
    for run in runs:
        client.delete_run(run.info.run_id)
    return None


def _params(manifest: Mapping[str, Any], model: str | None) -> dict[str, str]:
    """Parameters of a child run, or of the parent when no model is given."""
    targets = manifest["targets"]
    params = {
        "model": model or _each(targets, "model"),
        "horizon": _each(targets, "horizon"),
        "origins": _each(targets, "origins"),
        "freq": _each(targets, "freq"),
        "measures": ", ".join(measure for target in targets for measure in target["measures"]),
        "package_version": manifest["package_version"],
        "levels": ", ".join(map(str, manifest["levels"])),
    }
    params |= {name: str(manifest[name]) for name in ("as_of", "seed", "n_paths", "data_digest")}
    if model is None:
        params |= {f"candidates.{target['name']}": ", ".join(target["candidates"]) for target in targets}
    return params


def _each(targets: list[Mapping[str, Any]], key: str) -> str:
    values = {target["name"]: str(target[key]) for target in targets}
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def _explain(model: str, folder: Path, place: Path) -> None:
    """Write the weights of a combination, or what a model said of series, as text that MLflow shows."""
    import pandas as pd

    for name in EXPLAINED_BY_MODEL:
        path = folder / f"{name}.parquet"
        table = pd.read_parquet(path) if path.exists() else pd.DataFrame({"model": []})
        rows = table[table["model"].eq(model)]
        if len(rows):
            rows.round({"weight": 4}).to_csv(place / f"{name}.csv", index=False)


def _write_config(manifest: Mapping[str, Any], path: Path) -> None:
    import yaml

    config = {"as_of": date.fromisoformat(manifest["as_of"]), **manifest["config"]}
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _folder(parent: str | Path, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir()
    return folder


def main() -> None:
    """Answer on what was the standard output; whatever else is printed there goes to the standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        serve(sys.stdin, replies)
    os._exit(0)  # everything is on disk; taking MLflow down in good order would cost the waiting run a second


if __name__ == "__main__":
    main()
