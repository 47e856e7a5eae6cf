import json

import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.publish.run import read_run
from tests.run_folder import write_run


def test_a_run_is_read_with_usable_figures_and_every_provenance(tmp_path):
    run = read_run(write_run(tmp_path / "run", provenance="synthetic"))
    assert run.as_of == pd.Timestamp("2024-07-01")
    assert [target.name for target in run.targets] == ["ehc", "slt"]
    assert run.provenance == {"published", "synthetic"}
    assert run.synthetic("ehc")
    assert not run.synthetic("slt")
    mismatch = run.history[run.history["reason"].ne("")]
    assert mismatch["y"].tolist() == [6078.0]
    assert mismatch["usable"].isna().all()


def test_a_local_source_counts_even_if_the_manifest_forgets_it(tmp_path):
    def forget(manifest):
        manifest["provenance"] = ["published"]

    assert "local" in read_run(write_run(tmp_path / "run", provenance="local", change=forget)).provenance


@pytest.mark.parametrize(
    "name", ["manifest.json", "history.parquet", "forecasts.parquet", "scores.parquet", "ledger.parquet"]
)
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_missing_or_cut_file_is_refused_by_name(tmp_path, name, damage):
    folder = write_run(tmp_path / "run")
    path = folder / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=name.replace(".", r"\.")) as caught:
        read_run(folder)
    assert "\n" not in str(caught.value)
    assert ("missing" if damage == "missing" else "not readable") in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="not found"):
        read_run(tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "running"}, "status is 'running'"),
        ({"provenance": ["secret"]}, "provenance 'secret'"),
    ],
)
def test_a_run_that_did_not_complete_or_is_of_unknown_kind_is_refused(tmp_path, change, message):
    folder = write_run(tmp_path / "run", change=lambda manifest: manifest.update(change))
    with pytest.raises(InputError, match=message):
        read_run(folder)


def test_a_missing_key_or_column_is_refused_by_name(tmp_path):
    folder = write_run(tmp_path / "run", change=lambda manifest: manifest.pop("seed"))
    with pytest.raises(InputError, match="'seed' is missing"):
        read_run(folder)
    (folder / "manifest.json").write_text(json.dumps([]), encoding="utf-8")
    with pytest.raises(InputError, match=r"manifest\.json"):
        read_run(folder)
    folder = write_run(tmp_path / "other")
    pd.read_parquet(folder / "scores.parquet").drop(columns="pinball").to_parquet(folder / "scores.parquet")
    with pytest.raises(InputError, match=r"scores\.parquet: column 'pinball'"):
        read_run(folder)
