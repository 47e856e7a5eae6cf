import os

import pytest

from jobs import atomic


class Stop(Exception):
    """Stands for a kill between two steps."""


def stop_at(number):
    seen = []

    def step(name):
        seen.append(name)
        if len(seen) == number:
            raise Stop(name)

    return step


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "current.json"
    atomic.write_file(path, b"old")
    steps = []
    atomic.write_file(path, b"new", step=steps.append)
    assert path.read_bytes() == b"new"
    assert steps == ["staged current.json", "replaced current.json"]
    assert os.listdir(tmp_path) == ["current.json"]


def test_a_file_keeps_its_old_content_until_replaced(tmp_path):
    path = tmp_path / "current.json"
    atomic.write_file(path, b"old")
    with pytest.raises(Stop):
        atomic.write_file(path, b"new", step=stop_at(1))
    assert path.read_bytes() == b"old"
    assert atomic.clear_leftovers(tmp_path) == [".staging-current.json"]
    assert os.listdir(tmp_path) == ["current.json"]


def test_a_folder_appears_whole(tmp_path):
    target = tmp_path / "runs" / "a"
    with atomic.staged_folder(target) as staging:
        (staging / "sub").mkdir()
        (staging / "sub" / "file").write_bytes(b"1")
        assert not target.exists()
        assert staging.parent == target.parent
    assert (target / "sub" / "file").read_bytes() == b"1"
    assert os.listdir(target.parent) == ["a"]


def test_a_failure_inside_leaves_nothing(tmp_path):
    with pytest.raises(Stop), atomic.staged_folder(tmp_path / "a") as staging:
        (staging / "file").write_bytes(b"1")
        raise Stop
    assert os.listdir(tmp_path) == []


def test_a_finished_folder_is_never_changed(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileExistsError, match="never changed"), atomic.staged_folder(tmp_path / "a"):
        pytest.fail("the block must not run")


def test_what_a_killed_process_left_is_used_by_no_one(tmp_path):
    left = tmp_path / ".staging-a"
    left.mkdir()
    (left / "half").write_bytes(b"?")
    with atomic.staged_folder(tmp_path / "a") as staging:
        (staging / "file").write_bytes(b"1")
    assert os.listdir(tmp_path / "a") == ["file"]


def test_leftovers_of_both_kinds_are_cleared_and_nothing_else(tmp_path):
    (tmp_path / ".staging-x").mkdir()
    (tmp_path / ".staging-x" / "f").write_bytes(b"")
    (tmp_path / ".staging-current.json").write_bytes(b"")
    (tmp_path / "kept").mkdir()
    assert atomic.clear_leftovers(tmp_path) == [".staging-current.json", ".staging-x"]
    assert os.listdir(tmp_path) == ["kept"]
    assert atomic.clear_leftovers(tmp_path / "none") == []


@pytest.mark.parametrize(("refusals", "works"), [(3, True), (atomic.REPLACE_ATTEMPTS, False)])
def test_replace_tries_again_while_a_reader_holds_the_file(tmp_path, monkeypatch, refusals, works):
    source, target = tmp_path / "s", tmp_path / "t"
    source.write_bytes(b"1")
    real, left, waits = os.replace, [refusals], []

    def refuse(a, b):
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "in use")
        real(a, b)

    monkeypatch.setattr(os, "replace", refuse)
    if works:
        atomic.replace(source, target, pause=waits.append)
        assert target.read_bytes() == b"1"
        assert len(waits) == refusals
    else:
        with pytest.raises(PermissionError):
            atomic.replace(source, target, pause=waits.append)
        assert not target.exists()
    assert sum(waits) < 1.5


def test_folders_are_not_synced_on_windows(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.os, "name", "nt")
    monkeypatch.setattr(atomic.os, "open", lambda *_: pytest.fail("no such call on Windows"))
    atomic.sync_folder(tmp_path)
