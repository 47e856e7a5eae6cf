import hashlib
import json
import os
import shutil
from datetime import datetime
from pathlib import Path

import filelock
import pytest

from forecast.errors import InputError, PublishRefused
from jobs import release
from jobs.release import current, publish
from tests.run_folder import write_run

NOW = datetime(2024, 11, 24, 9, 30)
FILES = {"index.html", "projections.csv", "projections.meta.csv", "manifest.json"}


class Stop(BaseException):
    """Stands for a kill between two steps: nothing catches it."""


def stands(releases):
    """What a reader finds: current.json names files that are there and unchanged."""
    pointer = json.loads((releases / "current.json").read_text(encoding="utf-8"))
    for name, digest in pointer["files"].items():
        content = (releases / pointer["path"] / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    return pointer


@pytest.fixture(autouse=True)
def plain_charts(request, monkeypatch):
    """Leave the drawing out where a test is not about it."""
    if "real_charts" in request.fixturenames:
        return
    monkeypatch.setattr("forecast.publish.block.fan_chart", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>')


@pytest.fixture
def real_charts():
    """Ask for the drawing."""


@pytest.fixture
def releases(tmp_path):
    return tmp_path / "releases"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_run(folder / "old", run_id="old", history_until=2023, growth=0.08, change=one_target)
    write_run(folder / "new", run_id="new", change=one_target)
    return folder


def one_target(manifest):
    """Keep the waiting list alone: a page that is drawn quickly."""
    manifest["targets"] = manifest["targets"][1:]


def test_a_release_holds_its_files_and_current_names_it(runs, releases):
    result = publish(runs / "new", releases, now=NOW)
    assert result.status == "published"
    assert set(os.listdir(result.folder)) == FILES
    pointer = stands(releases)
    assert set(pointer["files"]) == FILES
    assert (pointer["release_id"], pointer["run_id"]) == (result.release_id, "new")
    assert pointer["path"] == result.folder.name
    assert pointer["published"] == "2024-11-24T09:30:00"
    manifest = json.loads((result.folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    assert manifest["as_of"] == "2024-07-01"
    assert [source["id"] for source in manifest["sources"]] == ["dfe_ehc", "nhs_chs"]
    assert result.index.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert str(result.index) in result.message


def test_the_same_run_again_is_a_no_op_that_says_so(runs, releases):
    first = publish(runs / "new", releases, now=NOW)
    before = {path: path.stat().st_mtime_ns for path in releases.rglob("*") if path.name != release.LOCK}
    again = publish(runs / "new", releases, now=datetime(2025, 1, 1))
    assert again.status == "unchanged"
    assert "published already" in again.message
    assert again.release_id == first.release_id
    after = {path: path.stat().st_mtime_ns for path in releases.rglob("*") if path.name != release.LOCK}
    assert after == before


@pytest.mark.usefixtures("real_charts")
def test_the_same_run_at_the_same_time_gives_the_same_bytes(tmp_path):
    run = write_run(tmp_path / "run")
    one, two = (publish(run, tmp_path / name, now=NOW) for name in ("one", "two"))
    assert one.release_id == two.release_id
    for name in FILES:
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()


def test_the_next_release_tells_what_changed_and_an_earlier_run_can_be_brought_back(runs, releases):
    old = publish(runs / "old", releases, now=datetime(2023, 11, 3))
    new = publish(runs / "new", releases, now=NOW)
    assert "Compared with the release of 3 November 2023" in new.index.read_text(encoding="utf-8")
    page = old.index.read_bytes()
    back = publish(runs / "old", releases, now=datetime(2025, 1, 1))
    assert back.status == "published"
    assert stands(releases)["release_id"] == old.release_id
    assert old.index.read_bytes() == page


def test_dry_run_writes_nothing(runs, releases):
    result = publish(runs / "new", releases, now=NOW, dry_run=True)
    assert result.status == "would_publish"
    assert not releases.exists()
    publish(runs / "new", releases, now=NOW)
    assert publish(runs / "new", releases, now=NOW, dry_run=True).status == "unchanged"


@pytest.mark.parametrize("dry_run", [False, True])
def test_local_data_is_refused_and_the_last_release_stands(runs, releases, tmp_path, dry_run):
    publish(runs / "new", releases, now=NOW)
    before = (releases / "current.json").read_bytes()
    local = write_run(tmp_path / "local", run_id="local", provenance="local")
    with pytest.raises(PublishRefused, match="disclosure control does not exist yet") as caught:
        publish(local, releases, now=NOW, dry_run=dry_run)
    assert "dfe_ehc" in str(caught.value)
    assert "inside the council" in str(caught.value)
    assert (releases / "current.json").read_bytes() == before


def test_one_local_row_is_enough_to_refuse(releases, tmp_path):
    def hide(manifest):
        manifest["provenance"] = ["published"]
        for source in manifest["sources"]:
            source["provenance"] = "published"

    local = write_run(tmp_path / "local", provenance="local", change=hide)
    with pytest.raises(PublishRefused):
        publish(local, releases, now=NOW)
    assert not releases.exists()


def test_a_broken_run_is_refused_and_the_last_release_stands(runs, releases, tmp_path):
    publish(runs / "new", releases, now=NOW)
    broken = write_run(tmp_path / "broken", run_id="broken")
    (broken / "scores.parquet").unlink()
    with pytest.raises(InputError, match=r"scores\.parquet"):
        publish(broken, releases, now=NOW)
    assert stands(releases)["run_id"] == "new"


def test_killed_between_any_two_steps_readers_see_a_whole_release_and_a_rerun_completes(runs, releases, tmp_path):
    steps = []
    publish(runs / "new", tmp_path / "count", now=NOW, step=steps.append)
    assert {"release rendered", "staging on disk", "renamed", "replaced current.json"} <= set(steps)
    before = publish(runs / "old", tmp_path / "before", now=datetime(2023, 11, 3))
    for fatal in steps:
        folder = releases / fatal.replace(" ", "-")
        shutil.copytree(tmp_path / "before", folder)

        def kill(step, fatal=fatal):
            if step == fatal:
                raise Stop

        with pytest.raises(Stop):
            publish(runs / "new", folder, now=NOW, step=kill)
        expected = "new" if fatal == "replaced current.json" else "old"
        assert stands(folder)["run_id"] == expected
        result = publish(runs / "new", folder, now=NOW)
        assert stands(folder)["release_id"] == result.release_id
        assert set(os.listdir(folder)) - {release.LOCK} == {"current.json", before.release_id, result.release_id}


def test_a_damaged_release_is_made_again(runs, releases):
    result = publish(runs / "new", releases, now=NOW)
    result.index.write_text("cut", encoding="utf-8")
    again = publish(runs / "new", releases, now=NOW)
    assert again.status == "published"
    stands(releases)
    assert not [entry for entry in os.listdir(releases) if entry.startswith(".staging-")]


@pytest.mark.parametrize("content", ["{", "[]", '{"release_id": "a"}'])
def test_a_damaged_pointer_is_told_and_replaced(runs, releases, content):
    publish(runs / "old", releases, now=NOW)
    (releases / "current.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"current\.json"):
        current(releases)
    result = publish(runs / "new", releases, now=NOW)
    assert "left out of the comparison" in result.warnings[0]
    assert stands(releases)["run_id"] == "new"


def test_no_release_yet(releases):
    assert current(releases) is None


def test_two_at_once_is_refused(runs, releases):
    releases.mkdir()
    with filelock.FileLock(releases / release.LOCK), pytest.raises(filelock.Timeout):
        publish(runs / "new", releases, now=NOW)


@pytest.mark.parametrize("changed", ["report.py", "ehc/work.py", "templates/page.css"])
def test_a_change_anywhere_in_what_draws_a_page_is_a_new_design(tmp_path, monkeypatch, changed):
    package = tmp_path / "publish"
    shutil.copytree(Path(str(release.files("forecast.publish"))), package)
    monkeypatch.setattr(release, "files", lambda _: package)
    first = release.rendering_version()
    (package / "ehc" / "note.txt").write_text("draws nothing", encoding="utf-8")
    assert release.rendering_version() == first
    with (package / changed).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert release.rendering_version() != first


def test_a_new_page_design_is_a_new_release(runs, releases, monkeypatch):
    first = publish(runs / "new", releases, now=NOW)
    monkeypatch.setattr(release, "rendering_version", lambda: "another")
    second = publish(runs / "new", releases, now=NOW)
    assert second.status == "published"
    assert second.release_id != first.release_id
