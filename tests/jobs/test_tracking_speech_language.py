"""A speech and language projection in MLflow: a child run of the night with figures by month, answers and a card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jobs.speech_language_card import speech_language_card
from jobs.tracking_record import Request, record
from tests.jobs.conftest import store_client
from tests.publish.speech_language.frame import write_slt

RUN_ID = "stockport-0123456789ab"
STEPS = {"ehc": 3.5, "speech_language": 4.5}


def write_folder(folder: Path, *, provenance: str = "synthetic") -> Path:
    """Write a run folder with a projection, as the nightly run leaves it."""
    write_slt(folder, provenance=provenance, run_id=RUN_ID)
    manifest = manifest_of(folder)
    manifest["provenance"] = sorted({*manifest["provenance"], provenance})
    manifest["steps"] |= STEPS
    manifest["ehc"] |= {"last_flow": 2023}
    manifest["ehc"]["settings"] |= {"caseload": "mean: rule"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def child_of(client: Any, parent: str) -> Any:
    experiment = client.get_experiment_by_name("stockport").experiment_id
    role = "tags.`send_forecast.role` = 'speech_language'"
    (child,) = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}' and {role}")
    return child


@pytest.fixture(scope="module")
def recorded(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str, Path]]:
    """Give the client, the id of the parent run, and the run folder. Only to be read."""
    base = tmp_path_factory.mktemp("slt")
    folder = write_folder(base / RUN_ID)
    store = base / "mlflow.db"
    store.write_bytes(prepared.read_bytes())
    with store_client(f"sqlite:///{store}") as client:
        reply = record(client, Request(str(folder), str(base / "artifacts"), "stockport"), on_server=False)
        assert reply.status == "recorded", reply.detail
        yield client, str(reply.parent_run_id), folder


@pytest.mark.parametrize("measure", ["referrals", "waiting", "within_target", "wte_needed", "wte_in_post"])
def test_medians_stand_by_month_ahead_for_each_option(recorded: tuple[Any, str, Path], measure: str) -> None:
    client, parent, folder = recorded
    child = child_of(client, parent)
    table = pd.read_parquet(folder / "speech_language.parquet")
    own = table[table["measure"].eq(measure) & table["by"].eq("") & table["freq"].eq("MS")]
    ahead = own[own["status"].eq("projected")].sort_values("ds")
    told = {name: rows["median"].tolist() for name, rows in ahead.groupby("option")}
    assert "as_now" in told
    for option, medians in told.items():
        history = client.get_metric_history(child.info.run_id, measure if option == "as_now" else f"{measure}.{option}")
        assert [item.step for item in sorted(history, key=lambda item: item.step)] == list(range(1, 49))
        assert {item.step: item.value for item in history} == pytest.approx(dict(enumerate(medians, start=1)))


def test_answers_are_metrics(recorded: tuple[Any, str, Path]) -> None:
    client, parent, folder = recorded
    metrics = child_of(client, parent).data.metrics
    entry = manifest_of(folder)["speech_language"]
    wanted = entry["answers"]["capacity_for_target"]
    assert metrics["answer.capacity_for_target.a_week"] == wanted["a_week"]["median"]
    assert metrics["answer.capacity_for_target.a_week.high"] == wanted["a_week"]["high"]
    assert metrics["answer.capacity_for_target.fed_back.within"] == wanted["fed_back"]["within"]
    assert metrics["answer.buys.waiting.low"] == entry["answers"]["buys"]["waiting"]["low"]
    chances = {option["name"]: option["by_target"]["chance"] for option in entry["options"]}
    assert metrics["target_chance"] == chances["as_now"]
    assert metrics["target_chance.more_staff"] == chances["more_staff"]
    assert metrics["seconds"] == STEPS["speech_language"]


def test_params_say_whose_service_it_is_and_on_which_norms(recorded: tuple[Any, str, Path]) -> None:
    client, parent, folder = recorded
    child = child_of(client, parent)
    entry = manifest_of(folder)["speech_language"]
    assert child.info.status == "FINISHED"
    expected = {
        **{
            "provider": "Stockport NHS Foundation Trust",
            "ehc_area": "Stockport",
            "first": "2023-10",
            "last": "2027-09",
        },
        **{"target": "92 % within 18 weeks by 2027-03", "referrals": "a log", "n_options": "3", "n_paths": "1000"},
        **{f"norm.{norm['name']}": norm["value"] for norm in entry["norms"]},
    }
    assert expected.items() <= child.data.params.items()


def test_the_table_and_the_card_are_the_artefacts_of_the_child_and_not_of_the_night(
    recorded: tuple[Any, str, Path], tmp_path: Path
) -> None:
    client, parent, folder = recorded
    child = child_of(client, parent)
    names = {item.path for item in client.list_artifacts(child.info.run_id)}
    assert names == {"speech_language.parquet", "model_card.md"}
    assert not {item.path for item in client.list_artifacts(parent)} & names
    card = Path(client.download_artifacts(child.info.run_id, "model_card.md", str(tmp_path)))
    table = pd.read_parquet(folder / "speech_language.parquet")
    assert card.read_text(encoding="utf-8") == speech_language_card(manifest_of(folder), table)


@pytest.mark.parametrize("provenance", ["local", "synthetic"])
def test_a_server_gets_no_figure_of_local_data(client: Any, tmp_path: Path, provenance: str) -> None:
    folder = write_folder(tmp_path / RUN_ID, provenance=provenance)
    reply = record(client, Request(str(folder), str(tmp_path / "artifacts"), "stockport"), on_server=True)
    child = child_of(client, str(reply.parent_run_id))
    local = provenance == "local"
    assert bool(client.list_artifacts(child.info.run_id)) != local
    assert ("waiting" in child.data.metrics) != local
    assert any(name.startswith("answer.") for name in child.data.metrics) != local
    assert ("Stockport NHS" in json.dumps([child.data.params, child.data.tags])) != local
    assert any(name.startswith("norm.") for name in child.data.params) != local
    assert child.data.metrics["seconds"] == STEPS["speech_language"]


def test_the_card_lists_options_norms_and_what_is_synthetic(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / RUN_ID)
    manifest = manifest_of(folder)
    entry = manifest["speech_language"]
    table = pd.read_parquet(folder / "speech_language.parquet")
    entry["options"][1]["reason"] = "first line\nsecond | line"
    card = speech_language_card(manifest, table)
    assert card.startswith("# Speech and language, demand, waits and therapists: ")
    assert "| Children waiting at its end | 497 (2023-09) | 2023-10: " in card
    for option in entry["options"]:
        within = option["by_target"]["within"]
        (line,) = [line for line in card.splitlines() if line.startswith(f"| {option['title']} |")]
        assert f"| {within:.0f} % (" in line
        assert (option["target_met"]["month"] or "not by the last month") in line
    assert "the first month from which it holds until the target's month at least; after that month" in card
    own = table[table["option"].eq("as_now") & table["by"].eq("") & table["freq"].eq("MS")]
    first = own[own["measure"].eq("wte_in_post") & own["status"].eq("projected")].sort_values("ds").iloc[0]
    assert f"2023-10: {first['median']:.1f} ({first['lo-80']:.1f} to {first['hi-80']:.1f})" in card
    for norm in entry["norms"]:
        assert f"| {norm['title']} | {norm['value']} | {norm['unit']} | {norm['source']} |" in card
    assert "- **the log of referrals** is synthetic: every figure that rests on it is too. Do not plan" in card
    assert "first line second / line." in card
    assert all(note in card for note in entry["notes"])
    for text in ("1,000 possible futures", "from a monthly log", "python -m experiments.waiting_list_accuracy"):
        assert text in card


def test_a_card_without_a_log_says_so(tmp_path: Path) -> None:
    folder = tmp_path / RUN_ID
    write_slt(folder, log=False, provenance="published", run_id=RUN_ID)
    card = speech_language_card(manifest_of(folder), pd.read_parquet(folder / "speech_language.parquet"))
    assert "Referrals are forecast from what the published list implies of them." in card
    assert "synthetic" not in card.partition("## Norms")[0].partition("## Data")[2].replace("published, synthetic", "")
