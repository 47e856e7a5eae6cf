"""A run in MLflow: what is recorded, and that MLflow that is down, slow or broken costs seconds and a warning only."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from forecast.evaluate.metrics import summarise
from jobs import tracking
from jobs.tracking import Recorder, TrackingResult, prepare, track
from jobs.tracking_metrics import CHOSEN, NAMES, compare_models
from jobs.tracking_plots import draw_plots
from jobs.tracking_record import WITHHELD, Request, make_store, record, serve
from jobs.tracking_store import StoreFault, check_store
from tests.jobs import samples
from tests.jobs.conftest import store_client
from tests.run_folder import WAPE, write_run

RUN_ID = "stockport-0123456789ab"
STOCKPORT = "E08000007"
TARGETS = {"ehc": "auto", "slt": "auto"}


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / RUN_ID, run_id=RUN_ID)


@pytest.fixture(scope="session")
def recorded(
    prepared: Path, run_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, str, list[Any]]]:
    """Give the client, the id of the parent run, and the child runs by WAPE. Only to be read."""
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copy(prepared, folder / "mlflow.db")
    with store_client(f"sqlite:///{folder / 'mlflow.db'}") as opened:
        reply = record(opened, Request(str(run_folder), str(folder / "my artifacts"), "stockport"), on_server=False)
        assert reply.status == "recorded"
        assert reply.parent_run_id is not None
        yield opened, reply.parent_run_id, _children(opened, reply.parent_run_id, "metrics.wape ASC")


def _children(client: Any, parent: str, order: str) -> list[Any]:
    experiment = client.get_experiment_by_name("stockport").experiment_id
    return list(client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'", order_by=[order]))


def _track(run_folder: Path, uri: str, *, timeout: float = 2.0) -> tuple[TrackingResult, list[str], float]:
    warnings: list[str] = []
    start = time.monotonic()
    result = track(run_folder, uri=uri, artifacts=None, experiment="stockport", timeout=timeout, warn=warnings.append)
    return result, warnings, time.monotonic() - start


def test_importing_tracking_loads_nothing_heavy() -> None:
    code = (
        "import sys, jobs.tracking; "
        "print({'mlflow', 'pandas', 'numpy', 'matplotlib', 'sqlalchemy', 'sqlite3'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"


# What is recorded


def test_each_model_is_one_child_and_they_sort_by_wape_and_coverage(recorded: tuple[Any, str, list[Any]]) -> None:
    client, parent, children = recorded
    assert [run.info.run_name for run in children] == sorted(WAPE, key=lambda name: WAPE[name])
    by_coverage = _children(client, parent, "metrics.coverage_80 DESC")
    covered = [run.data.metrics["coverage_80"] for run in by_coverage]
    assert covered == sorted(covered, reverse=True)
    assert len(covered) == len(WAPE)
    assert {run.info.status for run in children} == {"FINISHED"}
    experiment = client.get_experiment_by_name("stockport").experiment_id
    assert len(client.search_runs([experiment])) == len(WAPE) + 1


def test_the_parent_has_the_figures_of_the_chosen_model(recorded: tuple[Any, str, list[Any]], run_folder: Path) -> None:
    client, parent, children = recorded
    night = client.get_run(parent)
    auto = next(run for run in children if run.info.run_name == "auto")
    assert night.info.run_name == f"{RUN_ID} 2024-07-01"
    shared = set(auto.data.metrics)
    assert {name: night.data.metrics[name] for name in shared} == auto.data.metrics
    ledger = pd.read_parquet(run_folder / "ledger.parquet")
    assert night.data.metrics["series_ok"] == ledger["status"].eq("ok").sum()
    assert night.data.metrics["seconds_read"] == 0.1


def test_the_horizon_is_the_step(recorded: tuple[Any, str, list[Any]]) -> None:
    client, _, children = recorded
    naive = next(run for run in children if run.info.run_name == "naive")
    history = client.get_metric_history(naive.info.run_id, "wape_by_horizon.requests")
    assert {item.step: round(item.value, 4) for item in history} == {
        h: round(WAPE["naive"] * h**0.5, 4) for h in (1, 2, 3, 4)
    }


def test_params_and_tags_say_what_was_run(recorded: tuple[Any, str, list[Any]], tmp_path: Path) -> None:
    client, parent, children = recorded
    night = client.get_run(parent).data
    expected = {"as_of": "2024-07-01", "seed": "2024", "n_paths": "1000", "package_version": "0.1.0"}
    for data in (night, children[0].data):
        assert expected.items() <= data.params.items()
        assert data.params["data_digest"] == "f" * 64
        assert data.params["horizon"] == "ehc: 5, slt: 6"
        assert data.tags["send_forecast.run_id"] == RUN_ID
        assert data.tags["send_forecast.provenance"] == "published"
        assert data.tags["send_forecast.status"] == "ok"
        assert data.tags["send_forecast.overall_measures"] == "caseload, new_plans, requests"
        assert str(tmp_path.parent) not in json.dumps([data.params, data.tags])
    assert night.params["candidates.slt"] == "drift, naive"
    assert children[0].data.params["model"] == "auto"


def test_artefacts_are_there(recorded: tuple[Any, str, list[Any]], run_folder: Path, tmp_path: Path) -> None:
    client, parent, children = recorded
    names = {item.path for item in client.list_artifacts(parent)}
    assert names == {"config.yaml", "manifest.json", "forecasts.parquet", "scores.parquet", "ledger.parquet", "plots"}
    assert len(client.list_artifacts(parent, "plots/ehc")) == 6
    assert {item.path for item in client.list_artifacts(children[0].info.run_id)} == {
        "scores.parquet",
        "ledger.parquet",
    }
    naive = next(run for run in children if run.info.run_name == "naive")
    assert [item.path for item in client.list_artifacts(naive.info.run_id)] == ["scores.parquet"]
    own = pd.read_parquet(client.download_artifacts(naive.info.run_id, "scores.parquet", str(tmp_path)))
    whole = pd.read_parquet(run_folder / "scores.parquet")
    pd.testing.assert_frame_equal(own, whole[whole["model"].eq("naive")].reset_index(drop=True))
    assert "/my%20artifacts/stockport/" in client.get_run(parent).info.artifact_uri


def test_the_dataset_is_known_by_its_digest_without_rows(
    recorded: tuple[Any, str, list[Any]], run_folder: Path
) -> None:
    client, parent, _ = recorded
    (entry,) = client.get_run(parent).inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest) == ("stockport", "f" * 36)
    history = pd.read_parquet(run_folder / "history.parquet")
    series = history["unique_id"].nunique()
    assert json.loads(entry.dataset.profile) == {"num_rows": len(history), "num_series": series}
    assert entry.tags[0].value == "evaluation"


@pytest.mark.slow
def test_a_second_record_changes_nothing_and_a_broken_one_is_replaced(
    client: Any, run_folder: Path, tmp_path: Path
) -> None:
    request = Request(str(run_folder), str(tmp_path / "mlartifacts"), "stockport")
    first = record(client, request, on_server=False)
    assert first.parent_run_id is not None
    children = _children(client, first.parent_run_id, "metrics.wape ASC")
    again = record(client, request, on_server=False)
    assert (again.status, again.parent_run_id) == ("skipped", first.parent_run_id)
    experiment = client.get_experiment_by_name("stockport").experiment_id
    assert len(client.search_runs([experiment])) == len(children) + 1
    client.update_run(first.parent_run_id, status="RUNNING")
    assert record(client, request, on_server=False).status == "recorded"
    assert len(client.search_runs([experiment])) == len(children) + 1
    assert client.get_run(first.parent_run_id).info.lifecycle_stage == "deleted"


# The figures


def test_figures_are_on_the_cells_that_all_have_and_average_levels(run_folder: Path) -> None:
    scores = pd.read_parquet(run_folder / "scores.parquet")
    harder = scores["area_code"].eq("E08000109") | scores["geographic_level"].eq("national")
    scores.loc[harder, "abs_error"] *= 3
    compared = compare_models(scores, chosen=TARGETS)
    found = {item.name: item.value for item in compared.readings["naive"] if item.step == 0}
    reached = scores[scores["model"].eq("prophet")][["unique_id", "origin", "horizon"]]
    own = scores[scores["model"].eq("naive")].merge(reached, on=["unique_id", "origin", "horizon"])
    by_level = summarise(own, by=["measure", "geographic_level"]).set_index(["measure", "geographic_level"])["wape"]
    assert found["wape.requests.local_authority"] == pytest.approx(by_level["requests", "local_authority"])
    assert found["wape.requests"] == pytest.approx(by_level["requests"].mean())
    assert found["wape"] == pytest.approx(by_level.groupby("measure").mean().mean())
    everywhere = summarise(scores[scores["model"].eq("naive")], by=["measure", "geographic_level"])
    wide = everywhere.set_index(["measure", "geographic_level"])["wape"]
    assert found["wape_all_cells.requests.local_authority"] == pytest.approx(wide["requests", "local_authority"])
    assert found["wape.requests.local_authority"] != pytest.approx(wide["requests", "local_authority"])
    assert "slt_waiting" not in compared.overall


def test_a_model_with_two_origins_is_not_measured_and_narrows_nobody(run_folder: Path) -> None:
    scores = pd.read_parquet(run_folder / "scores.parquet")
    early = scores["model"].eq("prophet") & scores["measure"].eq("requests") & (scores["origin"].dt.year < 2021)
    compared = compare_models(scores[~early], chosen=TARGETS)
    names = {model: {item.name for item in compared.readings[model]} for model in compared.models}
    assert "wape.requests" in names["naive"]
    assert "wape.requests" not in names["prophet"]
    assert compared.overall == ("caseload", "new_plans")
    assert all("wape" in mine for mine in names.values())


def test_a_measure_of_two_targets_keeps_its_target(run_folder: Path) -> None:
    scores = pd.read_parquet(run_folder / "scores.parquet")
    twice = pd.concat([scores, scores[scores["measure"].eq("requests")].assign(target="other")])
    compared = compare_models(twice, chosen={**TARGETS, "other": "drift"})
    found = {item.name: item.value for item in compared.readings[CHOSEN] if item.step == 0}
    drift = {item.name: item.value for item in compared.readings["drift"] if item.step == 0}
    assert found["wape.other.requests"] == drift["wape.other.requests"]
    assert found["wape.ehc.requests"] < found["wape.other.requests"]


@pytest.mark.parametrize("keep", [0, 1])
def test_nothing_measured_gives_models_without_figures(run_folder: Path, keep: int) -> None:
    scores = pd.read_parquet(run_folder / "scores.parquet")
    few = scores[scores["origin"].eq(scores["origin"].min())] if keep else scores.head(0)
    compared = compare_models(few, chosen=TARGETS)
    assert compared.overall == ()
    assert all(not readings for readings in compared.readings.values())


def test_plots_leave_out_what_was_not_scored(run_folder: Path, tmp_path: Path) -> None:
    targets = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))["targets"]
    scores = pd.read_parquet(run_folder / "scores.parquet")
    history = pd.read_parquet(run_folder / "history.parquet")
    some = scores[scores["measure"].eq("requests")]
    drawn = draw_plots(tmp_path, targets=targets, history=history, scores=some)
    assert [path.name for path in drawn] == ["requests_areas.png", "requests_models.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


# Local figures stay inside


@pytest.mark.parametrize(
    ("provenance", "address", "withheld"),
    [("local", "https://mlflow.example", True), ("local", "", False), ("published", "https://mlflow.example", False)],
)
def test_a_server_gets_no_table_or_plot_of_local_figures(
    client: Any,
    uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provenance: str,
    address: str,
    withheld: bool,
) -> None:
    monkeypatch.setattr("jobs.tracking_record.check_store", lambda uri: None)
    monkeypatch.setattr("jobs.tracking_record.open_client", lambda uri: client)
    folder = write_run(tmp_path / RUN_ID, run_id=RUN_ID, provenance=provenance, name="Ward 7")
    request = {"run_folder": str(folder), "artifacts": str(tmp_path / "mlartifacts"), "experiment": "stockport"}
    replies = io.StringIO()
    serve(io.StringIO(json.dumps({"uri": address or uri}) + "\n" + json.dumps(request) + "\n"), replies)
    reply = json.loads(replies.getvalue())
    assert reply["status"] == "recorded"
    assert (reply["warning"] is not None) == withheld
    runs = [client.get_run(reply["parent_run_id"]), *_children(client, reply["parent_run_id"], "metrics.wape ASC")]
    assert len(runs) == len(WAPE) + 1
    assert all(bool(client.list_artifacts(run.info.run_id)) != withheld for run in runs)
    assert all(run.data.metrics["wape"] > 0 and run.data.params["data_digest"] for run in runs)
    described = [run.inputs.dataset_inputs[0].dataset.source for run in runs]
    assert all(("dfe_ehc" in source) != withheld for source in described)
    said = json.dumps([[run.data.params, run.data.tags, sorted(run.data.metrics)] for run in runs])
    assert not [name for name in ("Ward 7", STOCKPORT, str(tmp_path), "1000.0") if name in said]
    kinds = {name.split(".")[0].split("_by_horizon")[0] for run in runs for name in run.data.metrics}
    own = {"n_cells", "n_cells_common", "wape_all_cells", "series_ok", "series_short", "seconds_read"}
    assert kinds <= {*NAMES, *own}


def test_what_was_withheld_is_said_in_one_line(run_folder: Path, tmp_path: Path) -> None:
    warnings: list[str] = []

    class Withholding(Recorder):
        def record(self, request: Mapping[str, str | None], *, seconds: float) -> dict[str, str | None]:
            return {"status": "recorded", "detail": "", "parent_run_id": "1", "warning": WITHHELD}

    result = track(
        run_folder,
        uri="https://mlflow.example",
        artifacts=None,
        experiment="stockport",
        timeout=1,
        warn=warnings.append,
        recorder=Withholding(f"sqlite:///{tmp_path / 'mlflow.db'}"),
    )
    assert result.status == "recorded"
    (line,) = warnings
    assert line.startswith(f"MLflow at 'https://mlflow.example': run '{RUN_ID}': local figures do not go to a server")
    assert "\n" not in line


# MLflow that is down, slow or broken


@pytest.mark.parametrize(("content", "at_least", "below"), [(b"a store", 0.2, 2), (b"", 2, 10), (None, 2, 10)])
def test_only_the_run_that_makes_a_store_may_take_longer(
    run_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    at_least: float,
    below: float,
) -> None:
    (tmp_path / "never_answers.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(tracking, "WORKER", "never_answers")
    monkeypatch.setattr(tracking, "NEW_STORE_SECONDS", 2.0)
    if content is not None:
        (tmp_path / "mlflow.db").write_bytes(content)
    result, warnings, seconds = _track(run_folder, f"sqlite:///{tmp_path / 'mlflow.db'}", timeout=0.2)
    assert (result.status, len(warnings)) == ("unreachable", 1)
    assert at_least <= seconds < below


@pytest.mark.slow
def test_a_prepared_process_records_once(uri: str, run_folder: Path, tmp_path: Path) -> None:
    before, warnings = {path: path.stat().st_mtime_ns for path in run_folder.iterdir()}, list[str]()
    environment = dict(os.environ)
    recorder = prepare(uri)
    result = track(
        run_folder,
        uri=uri,
        artifacts=tmp_path / "mlartifacts",
        experiment="stockport",
        timeout=60,
        warn=warnings.append,
        recorder=recorder,
    )
    assert (result.status, warnings) == ("recorded", [])
    assert result.parent_run_id is not None
    assert (tmp_path / "mlartifacts" / "stockport" / result.parent_run_id).is_dir()
    assert {path: path.stat().st_mtime_ns for path in run_folder.iterdir()} == before
    assert dict(os.environ) == environment
    used, said, _ = _track(run_folder, uri, timeout=60)
    assert (used.status, used.parent_run_id, said) == ("skipped", result.parent_run_id, [])
    assert recorder.record({}, seconds=1)["status"] == "unreachable"


@pytest.mark.slow
def test_a_process_ended_while_it_makes_a_store_leaves_none_begun(tmp_path: Path) -> None:
    store = tmp_path / "mlflow.db"
    with Recorder(f"sqlite:///{store}"):
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size for path in tmp_path.glob(".staging-mlflow.db")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert not store.exists() or store.stat().st_size == 0
    with store_client(f"sqlite:///{store}") as opened:
        assert opened.get_experiment_by_name("Default").artifact_location == (tmp_path / "mlruns/0").as_uri()
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_a_store_is_made_once_by_any_number_and_their_lock_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    class Store:
        engine = SimpleNamespace(dispose=lambda: None)

        def __init__(self, uri: str, root: str) -> None:
            made.append(Path(uri.removeprefix(tracking.SQLITE)))
            time.sleep(0.1)
            made[-1].write_text(root, encoding="utf-8")

    monkeypatch.setattr("mlflow.store.tracking.sqlalchemy_store.SqlAlchemyStore", Store)
    with ThreadPoolExecutor(4) as makers:
        list(makers.map(make_store, [tmp_path / "mlflow.db"] * 8))
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_killed_while_it_records_a_plain_rerun_records_it_once(prepared: Path, tmp_path: Path) -> None:
    config = samples.write_job(tmp_path, job=samples.JOB.replace("{enabled: false}", "{timeout: 60}"))
    store = tmp_path / "mlflow.db"
    shutil.copy(prepared, store)
    command = [sys.executable, "-m", "jobs.cli", "run", "-c", str(config)]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        deadline = time.monotonic() + 60
        while not _count(store, "lifecycle_stage = 'active'"):
            assert job.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(job.pid, signal.SIGKILL)
    assert _count(store, "status = 'FINISHED'") < 4
    result = samples.forecast("run", "-c", config)
    assert result.exit_code == 0
    assert "track: recorded" in result.stderr
    assert _count(store, "lifecycle_stage = 'active'") == _count(store, "status = 'FINISHED'") == 4
    assert {path.name for path in tmp_path.iterdir()} == {
        *("job.yaml", "referrals.csv", "runs", "mlflow.db", "mlartifacts"),
    }


def _count(store: Path, where: str) -> int:
    with closing(sqlite3.connect(store, timeout=30)) as opened:
        (found,) = opened.execute(f"SELECT count(*) FROM runs WHERE {where}").fetchone()  # noqa: S608
    return int(found)


@contextmanager
def _server(answer: Callable[[socket.socket], None] | None) -> Iterator[str]:
    """Accept connections; answer each, or never."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def serve_all() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    answer(connection)

        thread = threading.Thread(target=serve_all, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()


def _drip(connection: socket.socket) -> None:
    """One byte now and then: no single wait is ever too long."""

    def send() -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
            while True:
                connection.sendall(b" ")
                time.sleep(0.2)
        except OSError:
            return

    threading.Thread(target=send, daemon=True).start()


@pytest.mark.parametrize("answer", [None, _drip])
def test_a_socket_that_never_answers_costs_at_most_the_timeout(
    run_folder: Path, answer: Callable[[socket.socket], None] | None
) -> None:
    with _server(answer) as address:
        result, warnings, seconds = _track(run_folder, address, timeout=1.0)
    assert result.status == "unreachable"
    assert seconds < 2
    assert len(warnings) == 1


@pytest.mark.slow
def test_a_server_that_answers_once_and_never_again_costs_at_most_ten_seconds(run_folder: Path) -> None:
    asked: list[socket.socket] = []

    def once(connection: socket.socket) -> None:
        asked.append(connection)
        if len(asked) == 1:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with _server(once) as address:
        result, warnings, seconds = _track(run_folder, address, timeout=10)
    assert (result.status, len(warnings)) == ("unreachable", 1)
    assert seconds <= 10.5
    assert len(asked) > 1, "MLflow itself was not reached, so its waiting was not tried"


def test_a_refused_port_is_one_line(run_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result, warnings, seconds = _track(run_folder, f"http://127.0.0.1:{port}", timeout=10)
    assert result.status == "unreachable"
    assert seconds < 5
    assert warnings == [
        f"MLflow at 'http://127.0.0.1:{port}': run '{RUN_ID}' not recorded: {result.detail}. "
        "The run stands; run again to record."
    ]
    assert "Traceback" not in warnings[0]


def test_a_store_that_is_no_database_is_one_line(run_folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "mlflow.db"
    store.write_bytes(b"this is no database " * 100)
    result, warnings, _ = _track(run_folder, f"sqlite:///{store}", timeout=60)
    assert result.status == "unreachable"
    assert warnings[0].count("\n") == 0
    assert "file is not a database" in warnings[0]
    assert store.read_bytes().startswith(b"this is no database")


def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreFault, match="the sqlite file cannot be used"):
        check_store(f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")


def test_a_locked_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreFault, match="locked"):
            check_store(f"sqlite:///{path}", patience=0.05)
        other.rollback()
    check_store(f"sqlite:///{path}", patience=0.05)


@pytest.mark.parametrize(
    ("code", "body", "fault"),
    [
        (200, b'{"experiment": {}}', None),
        (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}', None),
        (401, b"You are not authenticated", None),
        (500, b'{"error_code": "INTERNAL_ERROR"}', "answers with code 500"),
        (200, b"<html>hello</html>", "not an MLflow server"),
        (200, b"[]", "not an MLflow server"),
        (404, b"\xff\xfe", "not an MLflow server"),
    ],
)
def test_only_an_mlflow_server_passes(code: int, body: bytes, fault: str | None) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/"
        if fault is None:
            check_store(address, patience=5)
        else:
            with pytest.raises(StoreFault, match=fault):
                check_store(address, patience=5)
        thread.join()


def test_garbage_and_an_unknown_scheme_are_faults() -> None:
    def babble(connection: socket.socket) -> None:
        connection.sendall(b"\x00\x01 what?\r\n\r\n")
        connection.close()

    with _server(babble) as address, pytest.raises(StoreFault, match="does not answer"):
        check_store(address, patience=5)
    with pytest.raises(StoreFault, match="does not answer"):
        check_store("postgres://db", patience=5)


def test_a_certificate_is_left_to_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl
    from urllib.error import URLError

    def refuse(*_: object, **__: object) -> None:
        raise URLError(ssl.SSLCertVerificationError("self-signed"))

    monkeypatch.setattr("jobs.tracking_store.urlopen", refuse)
    check_store("https://mlflow.example")


def test_the_process_answers_in_one_line_whatever_happens(
    client: Any, uri: str, run_folder: Path, tmp_path: Path
) -> None:
    def ask(*lines: object) -> str:
        replies = io.StringIO()
        serve(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)), replies)
        return replies.getvalue()

    artifacts = str(tmp_path / "mlartifacts")
    request = {"run_folder": str(run_folder), "artifacts": artifacts, "experiment": "stockport"}
    missing = json.loads(ask({"uri": uri}, {**request, "run_folder": str(run_folder / "none")}))
    assert missing["status"] == "unreachable"
    assert "No such file" in missing["detail"]
    assert json.loads(ask({"address": uri}))["detail"] == "KeyError: 'uri'"
    assert ask({"uri": uri}) == ""
    assert json.loads(ask({"uri": uri}, request))["status"] == "recorded"


def test_a_process_that_cannot_start_or_dies_is_one_line(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tracking, "WORKER", "json.no_such_module")
    result, warnings, _ = _track(run_folder, f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert (result.status, result.detail) == ("unreachable", "the recording process ended with code 1")
    assert len(warnings) == 1
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with Recorder("sqlite:///mlflow.db") as recorder:
        assert "did not start" in str(recorder.record({}, seconds=1)["detail"])
