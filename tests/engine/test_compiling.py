"""Where compiled kernels are kept: a folder a version of the sources, and none at all if none can be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import forecast
from forecast.engine import compiling

SMOOTHING = """
import numpy as np
from forecast.engine.seasonal import is_seasonal
print(is_seasonal(np.tile([1.0, 9.0, 5.0], 6), 3))
"""
FOLDER = "import numba; from forecast.engine.compiling import cache_folder; print(cache_folder(numba.config.CACHE_DIR))"


@pytest.fixture
def copy(tmp_path) -> Path:
    """The package alone, in a folder of its own."""
    shutil.copytree(
        Path(forecast.__file__).parent, tmp_path / "forecast", ignore=shutil.ignore_patterns("__pycache__", "data")
    )
    return tmp_path


def run(code: str, folder: Path, **environment: Path | str) -> subprocess.CompletedProcess[str]:
    plain = {name: said for name, said in os.environ.items() if not name.startswith(("NUMBA_", "XDG_", "COVERAGE_"))}
    told = {name: str(said) for name, said in environment.items()}
    return subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=folder,
        env={**plain, "PYTHONPATH": str(folder), **told},
        capture_output=True,
        text=True,
        check=True,
    )


def blocked(copy: Path) -> dict[str, Path]:
    """Put a file where each folder would go; return the environment that points there."""
    file = copy / "file"
    for path in (file, copy / "forecast" / "engine" / "__pycache__"):
        path.write_text("not a folder", encoding="utf-8")
    return {"NUMBA_CACHE_DIR": file, "XDG_CACHE_HOME": file, "LOCALAPPDATA": file, "HOME": file}


def test_without_a_folder_to_write_kernels_run_and_one_warning_says_so(copy):
    done = run(SMOOTHING, copy, **blocked(copy))
    assert done.stdout == "True\n"
    assert done.stderr.count("RuntimeWarning") == 1
    assert "Set NUMBA_CACHE_DIR to a folder that can be written." in done.stderr
    assert (copy / "file").read_text(encoding="utf-8") == "not a folder"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Sources in a folder of their own, in this process."""
    (tmp_path / "kernel.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(compiling, "files", lambda _: tmp_path)
    compiling.cache_folder.cache_clear()
    yield tmp_path
    compiling.cache_folder.cache_clear()


def test_a_function_without_a_folder_to_write_is_compiled_all_the_same(elsewhere, monkeypatch):
    file = elsewhere / "__pycache__"
    file.write_text("not a folder", encoding="utf-8")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(file))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(file))
    with pytest.warns(RuntimeWarning, match="Set NUMBA_CACHE_DIR to a folder that can be written"):
        twice = compiling.compiled(lambda x: 2 * x)
    assert twice(3.0) == 6.0
    assert str(file) == numba.config.CACHE_DIR


def test_only_folders_of_kernels_are_removed(elsewhere):
    for name in ("engine-old/theta", "other"):
        (elsewhere / "__pycache__" / name).mkdir(parents=True)
    folder = compiling.cache_folder("")
    assert sorted((elsewhere / "__pycache__").iterdir()) == sorted([folder, elsewhere / "__pycache__" / "other"])


def test_the_folder_named_goes_first_then_the_sources_then_the_users(copy):
    beside, own = copy / "forecast" / "engine" / "__pycache__", copy / "own"
    assert Path(run(FOLDER, copy).stdout.strip()).parent == beside
    named = Path(run(FOLDER, copy, NUMBA_CACHE_DIR=copy / "named").stdout.strip())
    assert named.is_relative_to(copy / "named")
    shutil.rmtree(beside)
    beside.write_text("not a folder", encoding="utf-8")
    users = Path(run(FOLDER, copy, XDG_CACHE_HOME=own, LOCALAPPDATA=own).stdout.strip())
    assert users.is_relative_to(own)
    assert users.name == named.name


def test_a_change_of_any_source_takes_another_folder_and_the_old_one_goes(copy):
    before = Path(run(FOLDER, copy).stdout.strip())
    (before / "kernel.nbc").write_bytes(b"old")
    (before.parent / "seasonal.cpython.pyc").write_bytes(b"not a kernel")
    with (copy / "forecast" / "engine" / "seasonal.py").open("a", encoding="utf-8") as source:
        source.write("\nCRITICAL = 1e9\n")
    after = Path(run(FOLDER, copy).stdout.strip())
    assert after != before
    assert sorted(path.name for path in before.parent.iterdir()) == sorted([after.name, "seasonal.cpython.pyc"])
    assert Path(run(FOLDER, copy).stdout.strip()) == after


def test_installations_that_share_a_folder_leave_each_other_alone(copy):
    shared = copy / "shared"
    first = Path(run(FOLDER, copy, NUMBA_CACHE_DIR=shared).stdout.strip())
    shutil.copytree(copy / "forecast", copy / "second" / "forecast")
    (copy / "second" / "forecast" / "engine" / "theta.py").write_text("", encoding="utf-8")
    second = Path(run(FOLDER, copy / "second", NUMBA_CACHE_DIR=shared).stdout.strip())
    assert first.is_dir()
    assert second.is_dir()
    assert first.parent != second.parent


def test_a_caller_follows_its_callee_in_another_file(copy):
    caller = copy / "forecast" / "engine" / "caller.py"
    caller.write_text(
        "from forecast.engine.callee import told\nfrom forecast.engine.compiling import compiled\n\n\n"
        "@compiled\ndef ask(x):\n    return told(x)\n",
        encoding="utf-8",
    )
    answers = []
    for answer in ("x + 1.0", "x + 2.0"):
        (copy / "forecast" / "engine" / "callee.py").write_text(
            f"from forecast.engine.compiling import compiled\n\n\n@compiled\ndef told(x):\n    return {answer}\n",
            encoding="utf-8",
        )
        answers += [run("from forecast.engine.caller import ask; print(ask(1.0))", copy).stdout for _ in range(2)]
    assert answers == ["2.0\n", "2.0\n", "3.0\n", "3.0\n"]
    assert list(copy.rglob("*.nbi"))
