"""The projection from request to plan in MLflow: a child run of the night with figures by year and a model card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jobs.model_card import model_card
from jobs.tracking_record import Request, record
from tests.jobs.conftest import store_client
from tests.publish.ehc.frame import write_ehc

RUN_ID = "stockport-0123456789ab"
CODE = "E08000007"
ADJUSTMENT = [{"year": 2025, "plans": -12.5, "percent": -0.4}, {"year": 2026, "plans": -80.0, "percent": -2.25}]


def write_folder(folder: Path, *, provenance: str = "published", overrides: bool = True) -> Path:
    """Write a run folder with a projection, as the nightly run leaves it."""
    write_ehc(folder, run_id=RUN_ID, ehc_provenance=provenance, overrides=overrides)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["provenance"] = sorted({*manifest["provenance"], provenance})
    manifest["ehc"] |= {"last_flow": 2023, "adjustment": {CODE: ADJUSTMENT}}
    manifest["ehc"]["settings"] = {"profile": "school_days", "requests": "median: rule", "caseload": "mean: rule"}
    manifest["steps"]["ehc"] = 3.5
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def child_of(client: Any, parent: str) -> Any:
    experiment = client.get_experiment_by_name("stockport").experiment_id
    (child,) = client.search_runs(
        [experiment], f"tags.`mlflow.parentRunId` = '{parent}' and tags.`send_forecast.role` = 'ehc'"
    )
    return child


@pytest.fixture(scope="module")
def recorded(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str, Path]]:
    """Give the client, the id of the parent run, and the run folder. Only to be read."""
    base = tmp_path_factory.mktemp("ehc")
    folder = write_folder(base / RUN_ID)
    store = base / "mlflow.db"
    store.write_bytes(prepared.read_bytes())
    with store_client(f"sqlite:///{store}") as client:
        reply = record(client, Request(str(folder), str(base / "artifacts"), "stockport"), on_server=False)
        assert reply.status == "recorded"
        yield client, str(reply.parent_run_id), folder


def test_medians_of_the_first_area_stand_by_year(recorded: tuple[Any, str, Path]) -> None:
    client, parent, folder = recorded
    child = child_of(client, parent)
    for suffix, name in (("", "ehc"), ("_without_overrides", "ehc_baseline")):
        table = pd.read_parquet(folder / f"{name}.parquet")
        own = table[(table["measure"] == "requests") & (table["by"] == "") & (table["freq"] == "YS")]
        ahead = own[own["status"] != "published"]
        history = client.get_metric_history(child.info.run_id, f"requests{suffix}")
        expected = dict(zip(ahead["ds"].dt.year, ahead["median"], strict=True))
        assert {item.step: item.value for item in history} == pytest.approx(expected)
    assert {item.step: item.value for item in client.get_metric_history(child.info.run_id, "adjustment_percent")} == {
        2025: -0.4,
        2026: -2.25,
    }
    assert child.data.metrics["seconds"] == 3.5


def test_params_say_what_was_projected_and_on_which_settings(recorded: tuple[Any, str, Path]) -> None:
    client, parent, _ = recorded
    child = child_of(client, parent)
    assert child.info.status == "FINISHED"
    expected = {"area": "Stockport", "n_areas": "1", "until": "2035", "n_overrides": "1", "last_year_of_data": "2023"}
    assert expected.items() <= child.data.params.items()
    assert child.data.params["requests"] == "median: rule"
    assert child.data.params["n_paths"] == "1000"


def test_the_tables_and_the_card_are_the_artefacts_of_the_child_and_not_of_the_night(
    recorded: tuple[Any, str, Path], tmp_path: Path
) -> None:
    client, parent, folder = recorded
    child = child_of(client, parent)
    names = {item.path for item in client.list_artifacts(child.info.run_id)}
    assert names == {"ehc.parquet", "ehc_baseline.parquet", "model_card.md"}
    assert not {item.path for item in client.list_artifacts(parent)} & names
    card = Path(client.download_artifacts(child.info.run_id, "model_card.md", str(tmp_path)))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    table = pd.read_parquet(folder / "ehc.parquet")
    assert card.read_text(encoding="utf-8") == model_card(manifest, table)


@pytest.mark.parametrize("provenance", ["local", "published"])
def test_a_server_gets_no_figure_of_local_data(client: Any, tmp_path: Path, provenance: str) -> None:
    folder = write_folder(tmp_path / RUN_ID, provenance=provenance)
    reply = record(client, Request(str(folder), str(tmp_path / "artifacts"), "stockport"), on_server=True)
    child = child_of(client, str(reply.parent_run_id))
    local = provenance == "local"
    assert bool(client.list_artifacts(child.info.run_id)) != local
    assert ("requests" in child.data.metrics) != local
    assert ("Stockport" in json.dumps([child.data.params, child.data.tags])) != local
    assert child.data.metrics["seconds"] == 3.5


def test_the_card_says_what_it_is_and_lists_every_override_and_source(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / RUN_ID)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    override = manifest["ehc"]["overrides"][0]
    card = model_card(manifest, pd.read_parquet(folder / "ehc.parquet"))
    assert card.startswith("# From request to plan: SEND demand in Stockport\n")
    assert f"| refusal | 2025-09-01 |  | all | {override['value']:g} | {override['reason']} |" in card
    assert all(source["title"] in card and source["licence"] in card for source in manifest["sources"])
    assert all(note in card for note in manifest["ehc"]["notes"][CODE])
    assert "-80 plans by January 2026" in card
    assert "-2.2 % of what the caseload by age alone comes to, without overrides." in card
    assert "| caseload | 5 | 9.7 % | 81 % | 2, 2018 to 2019 |" in card
    assert "Plans issued, the 20 weeks and the backlog have not been measured this way." in card
    assert "| Requests in the year | 790 (2023) | 2024: " in card
    for text in ("1,000 possible futures", "python -m experiments.la_accuracy", "any one child", "- requests: median"):
        assert text in card


def test_a_card_keeps_a_reason_on_its_line_and_marks_reference_tables(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / RUN_ID)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["ehc"]["overrides"][0]["reason"] = "first line\nsecond | line"
    first = manifest["sources"][0]
    manifest["ehc"]["references"] = [first["id"]]
    card = model_card(manifest, pd.read_parquet(folder / "ehc.parquet"))
    assert "| first line second / line |" in card
    marked = [line for line in card.splitlines() if "Reference table, exempt from the as-of date." in line]
    assert len(marked) == 1
    assert first["title"] in marked[0]


def test_a_card_without_overrides_says_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / RUN_ID, overrides=False)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert "None: rates and delays carry on as they are." in model_card(
        manifest, pd.read_parquet(folder / "ehc.parquet")
    )
